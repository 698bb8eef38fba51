import { h, say, set } from "/dom.js";
import { moment } from "/format.js";

/** The beginning of a page: a small line, the heading, and what belongs beside it. */
export const head = (kicker, title, ...beside) => h("header", { class: "head" },
    h("div", null, h("p", { class: "kicker" }, kicker), h("h1", { tabindex: "-1" }, title)),
    beside.length > 0 && h("div", { class: "actions" }, beside));

/** How a job or a version stands: a word with a mark, so that colour is never alone. */
export const status = word => h("span", { class: `status ${word}` }, word);

/** A point in time, exact on hover. */
export const time = (at, text) => h("time", { datetime: at, title: moment(at) }, text);

export const pill = text => h("span", { class: "pill" }, text);

/** What went wrong, with the worker's words line by line, and a way on. */
export function failure(error, again) {
    const [first, ...rest] = error.message.split("\n");
    return h("div", { class: "failure", role: "alert" },
        h("p", null, first),
        rest.length > 0 && h("ul", null, rest.map(line => h("li", null, line.trim()))),
        again && h("button", { type: "button", onclick: again }, "Try again"));
}

/** Nothing is here yet; what to do next. */
export const empty = (title, ...text) => h("div", { class: "empty" }, h("h2", null, title), h("p", null, text));

/** Names with values. */
export const facts = entries => h("dl", { class: "facts" }, entries.filter(e => e).map(([name, value]) =>
    h("div", null, h("dt", null, name), h("dd", null, value))));

/** A bar of steps; `show(done, total, text)` moves it. */
export function progressBar(label) {
    const fill = h("span", { class: "fill" });
    const track = h("span", { class: "track", role: "progressbar", "aria-label": label, "aria-valuemin": 0 }, fill);
    const words = h("span", { class: "words" });
    return {
        element: h("span", { class: "progress" }, track, words),
        show(done, total, text) {
            const share = total > 0 ? Math.min(1, done / total) : 0;
            fill.style.transform = `scaleX(${share})`;
            set(track, "aria-valuemax", total);
            set(track, "aria-valuenow", done);
            set(track, "aria-valuetext", text || null);
            say(words, text);
        },
    };
}

/** Asks before something that cannot be taken back. */
export function confirm(question, consequence, yes) {
    return new Promise(answer => {
        const dialog = h("dialog", { "aria-labelledby": "question", onclose: () => {
            dialog.remove();
            answer(dialog.returnValue === "yes");
        } },
            h("h2", { id: "question" }, question),
            h("p", null, consequence),
            h("div", { class: "actions" },
                h("button", { type: "button", onclick: () => dialog.close("no") }, "Leave it"),
                h("button", { type: "button", class: "danger", onclick: () => dialog.close("yes") }, yes)));
        document.body.append(dialog);
        dialog.showModal();
    });
}

/** How a caller who may not write comes to be one who may; null for one who is. */
export function invitation(worker, what) {
    if (worker.mayWrite)
        return null;
    const shown = { "key": "the worker's key", "token": "a token", "key-or-token": "the worker's key or a token" }[worker.signIn];
    return shown
        ? h("p", { class: "hint" }, h("a", { href: "#/sign-in" }, "Sign in"), ` with ${shown} to ${what}.`)
        : h("p", { class: "hint" }, "This worker has no key, so nothing can be written over HTTP. Start it with a key (Http:KeyFile) to "
            + `${what} here, or use the command line.`);
}
