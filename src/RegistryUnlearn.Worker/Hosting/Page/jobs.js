import { call, every } from "/api.js";
import { h, replaceIf, say, set } from "/dom.js";
import { ago, count, shortId, span, whom } from "/format.js";
import { empty, failure, head, progressBar, status, time } from "/parts.js";

const isOpen = job => job.status === "submitted" || job.status === "running" || job.status === "committing";

/** Rows shown at first: a browser lays out no thousands for nobody. */
const firstRows = 100;

const filters = [
    ["all", () => true],
    ["open", isOpen],
    ["succeeded", job => job.status === "succeeded"],
    ["failed", job => job.status === "failed"],
    ["cancelled", job => job.status === "cancelled"],
];

/** All jobs, the newest first, live. */
export function jobsPage(place) {
    place.title("Jobs");
    const rows = new Map();
    const list = h("ol", { class: "rows", "aria-label": "Jobs" });
    const chips = h("div", { class: "chips", role: "group", "aria-label": "Show" });
    const broken = h("div");
    const rest = h("div");
    const body = h("div", { "aria-busy": "true" }, h("p", { class: "lead" }, "Reading the jobs …"));
    let chosen = "all";
    let limit = firstRows;
    let jobs = [];

    const draw = () => {
        const damaged = jobs.filter(j => !j.job);
        const whole = jobs.filter(j => j.job);
        const matching = whole.filter(j => filters.find(f => f[0] === chosen)[1](j.job));
        if (jobs.length === 0) {
            replaceIf(body, "empty", () => empty("No jobs yet", "A job begins with a request: what to forget, from which model, how. ",
                h("a", { href: "#/submit" }, "Submit one"), ", or run ", h("code", null, "registry-unlearn submit request.json"), "."));
            return;
        }
        replaceIf(body, "list", () => [chips, broken, list, rest]);
        drawChips(whole);
        replaceIf(broken, damaged.map(d => d.damage).join("\n"), () => damaged.map(d => failure(new Error(d.damage))));
        const shown = matching.slice(0, limit);
        drawRows(shown);
        replaceIf(rest, `${matching.length - shown.length} ${chosen}`, () => matching.length > shown.length
            ? h("button", { type: "button", onclick: showAll }, `Show ${count(matching.length - shown.length)} more`)
            : matching.length === 0 && h("p", { class: "lead" }, `No job is ${chosen}.`));
    };
    const showAll = () => {
        limit = Infinity;
        draw();
    };
    const drawChips = whole => {
        const counts = filters.map(([name, test]) => [name, whole.filter(j => test(j.job)).length])
            .filter(([name, number]) => number > 0 || name === "all" || name === chosen);
        replaceIf(chips, JSON.stringify([counts, chosen]), () => counts.map(([name, number]) => h("button", {
            type: "button", id: `show-${name}`, "aria-pressed": String(name === chosen), onclick: () => {
                chosen = name;
                draw();
                document.getElementById(`show-${name}`)?.focus();
            },
        }, name, " ", h("b", null, count(number)))));
    };
    const drawRows = shown => {
        const ids = new Set(shown.map(j => j.job.job));
        for (const [id, row] of rows) {
            if (!ids.has(id)) {
                row.element.remove();
                rows.delete(id);
            }
        }
        shown.forEach((entry, i) => {
            const id = entry.job.job;
            if (!rows.has(id))
                rows.set(id, newRow(id));
            const row = rows.get(id);
            row.show(entry);
            if (list.children[i] !== row.element)
                list.insertBefore(row.element, list.children[i] ?? null);
        });
    };

    every(() => jobs.some(j => j.job && isOpen(j.job)) ? 1500 : 6000, place.signal, async () => {
        try {
            jobs = await call("/api/jobs", { signal: place.signal });
            place.notice(false);
            set(body, "aria-busy", false);
            draw();
        } catch (error) {
            if (error.name === "AbortError")
                return;
            if (jobs.length > 0)
                place.notice(error.message);
            else
                replaceIf(body, `failure ${error.message}`, () => failure(error));
        }
    });
    return [head("Registry", "Jobs", h("a", { class: "button primary", href: "#/submit" }, "Submit a request")), body];
}

/** One line of the list; `show` brings it up to date. */
function newRow(id) {
    const state = h("span", { class: "state" });
    const what = h("b");
    const how = h("small");
    const outcome = h("span", { class: "outcome" });
    const when = h("span", { class: "when" });
    const bar = progressBar(`Progress of job ${shortId(id)}`);
    const element = h("li", null, h("a", { href: `#/jobs/${id}` }, state, h("span", { class: "what" }, what, how), outcome, when));
    return {
        element,
        show({ job, request, progress }) {
            replaceIf(state, job.status, () => status(job.status));
            say(what, request?.model ?? `job ${shortId(id)}`);
            say(how, request ? `forget ${whom(request)} · ${request.method}`
                : "the request is not one that this release reads");
            if (job.status === "running") {
                replaceIf(outcome, "bar", () => bar.element);
                const steps = progress && job.stage === "unlearn" ? ` · ${progress.step} of ${progress.steps}` : "";
                bar.show(...share(job.stage, progress), job.notBefore && Date.parse(job.notBefore) > Date.now()
                    ? `tries again in ${span(Date.parse(job.notBefore) - Date.now())}` : `${job.stage ?? "begins"}${steps}`);
            } else
                replaceIf(outcome, `${job.status} ${job.result}`, () => outcomeOf(job));
            replaceIf(when, `${ago(job.submitted)} ${job.finished}`, () => [time(job.submitted, ago(job.submitted)),
                job.finished && h("small", null, `took ${span(Date.parse(job.finished) - Date.parse(job.submitted))}`)]);
        },
    };
}

const stages = ["fetch", "prepare", "unlearn", "audit", "publish"];

/** How much of a job is done, about: unlearning is most of it. */
function share(stage, progress) {
    const before = { fetch: 0, prepare: 2, unlearn: 5, audit: 85, publish: 97 };
    if (!stages.includes(stage))
        return [0, 100];
    return [before[stage] + (stage === "unlearn" && progress ? 80 * progress.step / Math.max(1, progress.steps) : 0), 100];
}

function outcomeOf(job) {
    switch (job.status) {
        case "succeeded":
            return h("span", null, "→ ", h("b", null, job.result));
        case "failed":
            return h("span", { class: "bad" }, job.error?.reason ?? "");
        case "committing":
            return "publishing";
        case "submitted":
            return "waits for a worker";
        default:
            return "";
    }
}
