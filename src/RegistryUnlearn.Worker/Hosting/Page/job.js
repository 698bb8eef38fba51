import { call, watch } from "/api.js";
import { curves } from "/chart.js";
import { h, replaceIf, say } from "/dom.js";
import { count, moment, shortId, span, whom } from "/format.js";
import { confirm, facts, failure, head, invitation, pill, progressBar, status, time } from "/parts.js";

const stages = ["fetch", "prepare", "unlearn", "audit", "publish"];

/** One job, live: stages, progress, curves, notes, how it ended. */
export function jobPage(place, id) {
    place.title(`Job ${shortId(id)}`);
    const title = h("span", null, `Job ${shortId(id)}`);
    const state = h("span");
    const actions = h("div", { class: "actions" });
    const stepper = h("ol", { class: "stages", "aria-label": "Stages" });
    const outcome = h("div");
    const trouble = h("div");
    const runs = newRuns();
    const notes = h("section");
    const record = h("section");
    let view;
    let close = () => { };

    const show = next => {
        const before = view?.job;
        view = next;
        const { job, request, progress } = view;
        say(title, request ? `Forget ${whom(request)} from ${request.model}` : `Job ${shortId(id)}`);
        replaceIf(state, job.status, () => status(job.status));
        showTitle(place, view);
        showStages(stepper, job, progress);
        replaceIf(outcome, JSON.stringify([job.status, job.result, job.error, job.notBefore]), () => outcomeOf(job));
        replaceIf(actions, job.status, () => buttons(job));
        runs.show(progress?.runs ?? []);
        replaceIf(notes, JSON.stringify(progress?.notes ?? []), () => progress?.notes?.length > 0 && [h("h2", null, "Notes"),
            h("ul", { class: "notes" }, progress.notes.map(n => h("li", null, n)))]);
        replaceIf(record, JSON.stringify([request, job.attempt, job.finished, job.status, progress?.worker]),
            () => recordOf(job, request, progress));
        if (before && (before.status !== job.status || before.stage !== job.stage))
            place.announce(job.status === "running" ? `Stage ${job.stage}` : `The job is ${job.status}`);
    };
    const silent = isSilent => place.notice(isSilent && "The connection to the worker is lost. This page connects again by itself; "
        + "the job goes on without it.");
    const follow = () => {
        close();
        close = watch(id, place.signal, show, silent);
    };
    const change = async (verb, question, consequence) => {
        if (question && !await confirm(question, consequence, "Cancel the job"))
            return;
        try {
            trouble.replaceChildren();
            await call(`/api/jobs/${id}/${verb}`, { method: "POST", signal: place.signal });
            follow();
        } catch (error) {
            if (error.name !== "AbortError")
                trouble.replaceChildren(failure(error));
        }
    };
    const buttons = job => {
        const mayCancel = job.status === "submitted" || job.status === "running";
        const mayRetry = job.status === "failed" || job.status === "cancelled";
        if (!place.worker.mayWrite)
            return (mayCancel || mayRetry) && invitation(place.worker, mayCancel ? "cancel it" : "retry it");
        return [
            mayCancel && h("button", { type: "button", onclick: () => change("cancel", "Cancel this job?",
                "Its work so far is dropped and nothing is published. It can be retried, from its beginning.") }, "Cancel"),
            mayRetry && h("button", { type: "button", class: "primary", onclick: () => change("retry") }, "Retry"),
        ];
    };

    // Before it is watched: whoever asks for a job that is not there hears why.
    const begin = async () => {
        try {
            show(await call(`/api/jobs/${id}`, { signal: place.signal }));
            trouble.replaceChildren();
            if (!view.job.finished)
                follow();
        } catch (error) {
            if (error.name !== "AbortError")
                trouble.replaceChildren(failure(error, begin));
        }
    };
    begin();
    const page = head(["Job ", h("code", null, shortId(id))], title, actions);
    page.firstChild.append(h("p", { class: "under" }, state));
    return [page, trouble, stepper, outcome, ...runs.elements, notes, record];
}

/** The tab says how far the job is. */
function showTitle(place, { job, request, progress }) {
    const run = progress?.runs.at(-1);
    const isRunning = job.status === "running";
    const done = isRunning && job.stage === "unlearn" && run ? `${Math.floor(100 * run.step / Math.max(1, run.steps))} % ` : "";
    place.title(`${done}${isRunning ? job.stage ?? "running" : job.status} · ${request?.model ?? shortId(job.job)}`);
}

function showStages(stepper, job, progress) {
    const at = stages.indexOf(job.status === "running" ? progress?.stage ?? job.stage : job.stage);
    const states = stages.map((_, i) => {
        if (job.status === "succeeded" || i < at)
            return "done";
        if (i > at || job.status === "submitted")
            return "todo";
        return job.status === "failed" || job.status === "cancelled" ? job.status : "now";
    });
    const words = { done: "done", todo: "to come", now: "in progress", failed: "failed", cancelled: "cancelled" };
    replaceIf(stepper, states.join(), () => stages.map((name, i) => h("li", {
        class: states[i], "aria-current": states[i] === "now" && "step",
    }, h("span", { class: "mark" }), name, h("span", { class: "hidden" }, `, ${words[states[i]]}`))));
}

function outcomeOf(job) {
    if (job.status === "succeeded") {
        const [model, version] = job.result.split("@");
        return h("div", { class: "result" },
            h("div", null, h("small", null, "New version"), h("b", null, job.result)),
            h("div", { class: "actions" },
                h("a", {
                    class: "button primary", href: `/models/${model}/${version}/report`, target: "_blank", rel: "noopener",
                }, "Open the report"),
                h("a", { class: "button", href: `#/models/${model}` }, "See the lineage")));
    }
    if (job.status === "failed") {
        return h("div", { class: "failure" }, h("h2", null, "The job has failed: ", h("code", null, job.error?.reason ?? "unknown")),
            h("p", null, job.error?.message ?? "Its record gives no reason."));
    }
    if (job.status === "cancelled")
        return h("p", { class: "lead" }, "Cancelled; nothing was published.");
    if (job.status === "submitted")
        return h("p", { class: "lead" }, "Waits for a worker. One that looks at this registry takes it up by itself.");
    return job.error && h("div", { class: "failure mild" },
        h("h2", null, "The last attempt could not go on: ", h("code", null, job.error.reason)), h("p", null, job.error.message),
        job.notBefore && h("p", null, "The next begins at ", time(job.notBefore, moment(job.notBefore)), "."));
}

/** A section with a bar and curves for every run of a method: first the one that the job is about, then those it is compared with. */
function newRuns() {
    const own = h("div");
    const others = h("div", { class: "comparisons" });
    let shown = [];
    return {
        elements: [own, others],
        show(runs) {
            // Another attempt begins anew.
            if (runs.length < shown.length || shown.some((one, i) => one.method !== runs[i].method)) {
                own.replaceChildren();
                others.replaceChildren();
                shown = [];
            }
            runs.forEach((run, i) => {
                if (!shown[i]) {
                    shown.push(newRun(run.method, i > 0));
                    (i > 0 ? others : own).append(shown[i].element);
                }
                shown[i].show(run);
            });
        },
    };
}

function newRun(method, isComparison) {
    const bar = progressBar(`Steps of ${method}`);
    const plots = curves();
    const steps = h("span", { class: "at" });
    const moving = h("div");
    const panels = h("div", { class: "panels" });
    return {
        method,
        element: h("section", { class: "run" },
            h("h2", null, method, isComparison && h("span", { class: "aside" }, " for comparison"), steps), moving, panels),
        show(run) {
            const isMoving = run.step < run.steps;
            say(steps, `step ${count(run.step)} of ${count(run.steps)}`);
            replaceIf(moving, String(isMoving), () => isMoving && bar.element);
            bar.show(run.step, run.steps, "");
            const used = plots.show(run.points, run.steps);
            replaceIf(panels, String(used.length), () => used);
        },
    };
}

function recordOf(job, request, progress) {
    const policies = { keep: "stays", quarantine: "is quarantined", delete: "is deleted" };
    return [h("h2", null, "Record"), facts([
        ["Job", h("code", null, job.job)],
        request && ["Model", h("a", { href: `#/models/${request.model.split(/[@:]/)[0]}` }, request.model)],
        request && ["Method", request.method],
        request && ["Seed", String(request.seed)],
        request && ["Parent afterwards", policies[request.parentPolicy] ?? request.parentPolicy],
        request?.alias && ["Alias", pill(request.alias)],
        ["Attempt", count(job.attempt)],
        progress && ["Worker", progress.worker],
        ["Submitted", time(job.submitted, moment(job.submitted))],
        job.finished && ["Finished", time(job.finished, moment(job.finished))],
        job.finished && ["Took", span(Date.parse(job.finished) - Date.parse(job.submitted))],
    ])];
}
