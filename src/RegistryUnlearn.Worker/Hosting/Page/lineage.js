import { h, s } from "/dom.js";
import { day, shortId } from "/format.js";
import { pill, status, time } from "/parts.js";

/** The gutter is never wider, however many branches there are; on a phone it is half of that. */
const widestGutter = 120;
const laneWidth = 22;
const isNarrow = matchMedia("(max-width: 44rem)");
const radius = 6;

/** The versions of a model as a table, newest first, with the graph of parents drawn beside the rows. */
export function lineage({ model, versions }) {
    const known = new Map(versions.map(v => [v.version, v]));
    // A parent has a lower number: whatever manifests claim, this is a tree.
    const parentOf = v => (v.parent ?? Infinity) < v.version ? known.get(v.parent) : undefined;
    const lanes = lanesOf(versions, parentOf);
    const count = Math.max(...lanes.values()) + 1;
    const newestFirst = [...versions].reverse();
    const rows = new Map(newestFirst.map(v => [v.version, row(model, v, known)]));
    const svg = s("svg", {
        class: "graph", role: "img", "aria-label": `Lineage of ${model} as a graph; the table after it says the same.`,
    });
    const table = h("table", { class: "lineage" },
        h("caption", { class: "hidden" }, `Versions of ${model}, newest first`),
        h("thead", { class: "hidden" }, h("tr", null, ["Version", "Status", "Made from", "Report"].map(t => h("th", { scope: "col" }, t)))),
        h("tbody", null, [...rows.values()]));
    const element = h("div", { class: "lineage-box" }, svg, table);
    new ResizeObserver(draw).observe(table);
    return element;

    /** Rows are as high as their text: the graph follows them. */
    function draw() {
        const share = isNarrow.matches ? 0.6 : 1;
        const lane = share * Math.min(laneWidth, widestGutter / count);
        const gutter = Math.round(lane * count + 14);
        svg.setAttribute("width", gutter);
        table.style.marginLeft = `${gutter}px`;
        const x = v => 12 + lanes.get(v.version) * lane;
        const middle = v => {
            const name = rows.get(v.version).cells[0];
            return name.offsetTop + name.offsetHeight / 2;
        };
        svg.setAttribute("height", table.offsetHeight);
        const edges = versions.filter(parentOf).map(v => edge(v, parentOf(v)));
        svg.replaceChildren(...edges, ...versions.map(v => node(v, x(v), middle(v))));

        function edge(child, parent) {
            const [x1, y1, x2, y2] = [x(parent), middle(parent), x(child), middle(child)];
            const above = newestFirst[newestFirst.indexOf(parent) - 1];
            const turn = middle(above);
            const half = (y1 + turn) / 2;
            const d = `M${x1} ${y1}C${x1} ${half} ${x2} ${half} ${x2} ${turn}V${y2}`;
            return s("path", { class: `edge ${child.status}`, d });
        }
    }
}

function node(version, x, y) {
    const at = { cx: x, cy: y };
    return s("g", { class: `node ${version.status}` },
        version.aliases.length > 0 && s("circle", { class: "ring", ...at, r: radius + 4 }),
        s("circle", { class: "dot", ...at, r: radius }),
        version.status === "deleted" && s("path", { class: "cross", d: `M${x - 3} ${y - 3}l6 6m0-6l-6 6` }));
}

function row(model, v, known) {
    const from = v.parent === null ? [] : [
        "from ", h("b", null, `${model}@${v.parent}`), !known.has(v.parent) && ", which is not here",
    ];
    const by = v.job === null ? [] : [
        from.length > 0 ? " by job " : "by job ", h("a", { href: `#/jobs/${v.job}` }, h("code", null, shortId(v.job))),
    ];
    return h("tr", { class: v.status },
        h("th", { scope: "row" }, h("span", { class: "name" }, `${model}@${v.version}`), v.aliases.map(pill)),
        h("td", null, status(v.status)),
        h("td", { class: "origin" }, from, by, from.length + by.length === 0 && "made elsewhere",
            h("small", null, v.created && time(v.created, day(v.created)), v.created && v.replacedBy && " · ",
                v.replacedBy && `replaced by ${model}@${v.replacedBy}`)),
        h("td", { class: "link" }, v.report && h("a", {
            href: `/models/${model}/${v.version}/report`, target: "_blank", rel: "noopener",
            "aria-label": `Report of ${model}@${v.version}`,
        }, "report")));
}

/**
 * A column for every version. The child whose line reaches the newest served version goes on in its parent's column; others branch off to
 * the first column that is free for as long as their line lasts.
 */
function lanesOf(versions, parentOf) {
    const newest = new Map();
    for (const v of [...versions].reverse()) {
        const own = v.status === "published" || v.status === "adopted" ? v.version : 0;
        newest.set(v, Math.max(own, newest.get(v) ?? 0));
        const parent = parentOf(v);
        if (parent)
            newest.set(parent, Math.max(newest.get(parent) ?? 0, newest.get(v)));
    }
    const lanes = new Map();
    const taken = [];
    const heir = new Map();
    for (const v of versions) {
        const parent = parentOf(v);
        if (parent && (!heir.has(parent) || newest.get(v) > newest.get(heir.get(parent))))
            heir.set(parent, v);
    }
    for (const v of versions) {
        const parent = parentOf(v);
        if (parent && heir.get(parent) === v) {
            lanes.set(v.version, lanes.get(parent.version));
            continue;
        }
        let end = v;
        while (heir.has(end))
            end = heir.get(end);
        const begin = parent?.version ?? v.version;
        let lane = 0;
        while (taken.some(t => t.lane === lane && t.begin <= end.version && begin <= t.end))
            lane++;
        taken.push({ lane, begin, end: end.version });
        lanes.set(v.version, lane);
    }
    return lanes;
}
