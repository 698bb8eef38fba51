import { h, replaceIf, s, say, set } from "/dom.js";
import { number } from "/format.js";

const height = 186;
const margin = { top: 8, right: 8, bottom: 32, left: 40 };

/** Points on either side that a smoothed line takes into its mean. */
const reach = 7;

/** The panels of a run, with one cursor for all of them. */
export function curves(prefix = "") {
    const panels = [
        panel(`${prefix}Losses`, [["r", "remembering", "retained"], ["f", "forgetting", "forget"]]),
        panel(`${prefix}Agreement of the gradients`, [["c", "cosine", "oracle"]], { domain: [-1, 1], dots: "p", dotted: "projected" }),
        panel(`${prefix}Projections that fired`, [["p", "share", "after"]], { domain: [0, 1], smooth: true }),
    ];
    for (const one of panels)
        one.onMove = step => panels.forEach(p => p.point(step));
    return {
        /** Draws points (see CurvePoint) of a run of so many steps; gives the panels that have something to show. */
        show(points, steps) {
            const used = panels.filter(p => p.isIn(points));
            used.forEach(p => p.show(points, steps));
            return used.map(p => p.element);
        },
    };
}

/**
 * A small plot over steps. Its legend is its readout: the values under the cursor, or the newest. The cursor follows the mouse, a finger,
 * or the arrow keys.
 */
function panel(title, allSeries, { domain, dots, dotted, smooth } = {}) {
    const svg = s("svg", { "aria-hidden": "true" });
    const values = new Map(allSeries.map(([key]) => [key, h("b")]));
    const at = h("span", { class: "at" });
    const legend = h("ul", { class: "legend" });
    const plot = h("div", {
        class: "plot", tabindex: "0", role: "slider", "aria-label": `${title} by step`, "aria-valuemin": 1,
    }, svg);
    const element = h("figure", { class: "panel" }, h("figcaption", null, h("h3", null, title, at), legend), plot);
    let series = allSeries;
    let points = [];
    let steps = 1;
    let cursor = null;
    let width = 0;
    const own = { element, isIn, show, point, onMove: point };
    return watched(own);

    function isIn(given) {
        return allSeries.some(([key]) => given.some(p => isNumber(p[key])));
    }

    function show(nextPoints, nextSteps) {
        [points, steps] = [nextPoints, nextSteps];
        series = allSeries.filter(([key]) => points.some(p => isNumber(p[key])));
        replaceIf(legend, series.map(([key]) => key).join(), () => [
            ...series.map(([key, name, color]) => h("li", null, h("span", { class: `swatch ${color}` }), name, " ", values.get(key))),
            dots && h("li", null, h("span", { class: "swatch dot forget" }), dotted),
            smooth && h("li", null, `line: mean of ${2 * reach + 1} points`),
        ]);
        draw();
    }

    /** Moves the cursor to a step; null takes it away. */
    function point(step) {
        cursor = step;
        draw();
    }

    function x(step) {
        return margin.left + (width - margin.left - margin.right) * (steps > 1 ? (step - 1) / (steps - 1) : 0);
    }

    function draw() {
        if (width === 0 || points.length === 0)
            return;
        const range = domain ?? extent(points, series.map(([key]) => key));
        const [low, high] = range;
        const y = value => height - margin.bottom - (height - margin.top - margin.bottom) * (value - low) / (high - low);
        const under = cursor === null ? points.at(-1) : nearest(points, cursor);
        set(svg, "viewBox", `0 0 ${width} ${height}`);
        svg.replaceChildren(...axes(range, y), ...series.flatMap(one => drawn(one, y)), ...cursor === null ? [] : mark(under, y));
        series.forEach(([key]) => say(values.get(key), number(under[key])));
        say(at, `step ${under.step}`);
        set(plot, "aria-valuemax", steps);
        set(plot, "aria-valuenow", under.step);
        set(plot, "aria-valuetext", `step ${under.step}: ${series.map(([key, name]) => `${name} ${number(under[key])}`).join(", ")}`);
    }

    function axes([low, high], y) {
        const rows = ticks(low, high, 4).map(value => s("g", null,
            s("line", { class: value === 0 ? "axis" : "grid", x1: margin.left, x2: width - margin.right, y1: y(value), y2: y(value) }),
            s("text", { x: margin.left - 7, y: y(value) + 3.5, "text-anchor": "end" }, label(value))));
        const columns = ticks(1, Math.max(2, steps), 4).filter(step => step <= steps && Number.isInteger(step)).map(step =>
            s("text", { x: x(step), y: height - margin.bottom + 15, "text-anchor": "middle" }, label(step)));
        return [...rows, ...columns, s("text", { x: width - margin.right, y: height - 3, "text-anchor": "end" }, "step")];
    }

    function drawn([key, , color], y) {
        const known = points.filter(p => isNumber(p[key]));
        if (smooth)
            return [stems(known, key, color, y), line(known, i => mean(known, key, i), color, y)];
        const dotted = dots ? known.filter(p => p[dots] > 0) : [];
        return [line(known, i => known[i][key], color, y),
            ...dotted.map(p => s("circle", { class: "f-forget", cx: x(p.step), cy: y(p[key]), r: 1.9 }))];
    }

    function line(known, value, color, y) {
        return s("path", {
            class: `line s-${color}`,
            d: known.map((p, i) => `${i === 0 ? "M" : "L"}${x(p.step).toFixed(1)} ${y(value(i)).toFixed(1)}`).join(""),
        });
    }

    function stems(known, key, color, y) {
        const gap = known.length > 1 ? x(known[1].step) - x(known[0].step) : 1;
        return s("path", {
            class: `stems s-${color}`, "stroke-width": Math.min(12, gap),
            d: known.filter(p => p[key] > 0).map(p => `M${x(p.step).toFixed(1)} ${y(0).toFixed(1)}V${y(p[key]).toFixed(1)}`).join(""),
        });
    }

    function mark(under, y) {
        return [
            s("line", { class: "cursor", x1: x(under.step), x2: x(under.step), y1: margin.top, y2: height - margin.bottom }),
            ...series.filter(([key]) => isNumber(under[key])).map(([key, , color]) =>
                s("circle", { class: `f-${color} halo`, cx: x(under.step), cy: y(under[key]), r: 4 })),
        ];
    }

    function watched(own) {
        plot.addEventListener("pointermove", event => {
            const share = (event.clientX - plot.getBoundingClientRect().left - margin.left) / (width - margin.left - margin.right);
            own.onMove(Math.round(1 + Math.min(1, Math.max(0, share)) * (steps - 1)));
        });
        plot.addEventListener("pointerleave", () => own.onMove(null));
        plot.addEventListener("blur", () => own.onMove(null));
        plot.addEventListener("keydown", event => {
            const i = points.indexOf(cursor === null ? points.at(-1) : nearest(points, cursor));
            const target = {
                ArrowLeft: i - 1, ArrowDown: i - 1, PageDown: i - 10, Home: 0,
                ArrowRight: i + 1, ArrowUp: i + 1, PageUp: i + 10, End: Infinity,
            }[event.key];
            if (i < 0 || target === undefined)
                return;
            event.preventDefault();
            own.onMove(points[Math.min(points.length - 1, Math.max(0, target))].step);
        });
        new ResizeObserver(([entry]) => {
            width = Math.round(entry.contentRect.width);
            draw();
        }).observe(plot);
        return own;
    }
}

const isNumber = value => typeof value === "number";

const nearest = (points, step) => points.reduce((best, p) => Math.abs(p.step - step) < Math.abs(best.step - step) ? p : best);

function mean(points, key, i) {
    const near = points.slice(Math.max(0, i - reach), i + reach + 1);
    return near.reduce((sum, p) => sum + p[key], 0) / near.length;
}

/** From zero, or below it, to the largest value. */
function extent(points, keys) {
    const values = points.flatMap(p => keys.map(key => p[key]).filter(isNumber));
    const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
    return high > low ? [low, high + (high - low) * 0.04] : [0, 1];
}

/** About so many round numbers from low to high. */
function ticks(low, high, about) {
    const rough = (high - low) / about * 0.75;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].find(m => m * power >= rough) * power;
    const first = Math.ceil(low / step - 1e-9);
    const last = Math.floor(high / step + 1e-9);
    return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(6)));
}

const label = value => (Math.abs(value) >= 1e6 ? value.toExponential(0) : String(value)).replace("-", "−");
