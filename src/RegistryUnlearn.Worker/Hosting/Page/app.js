import { readWorker } from "/api.js";
import { h, set } from "/dom.js";
import { jobPage } from "/job.js";
import { jobsPage } from "/jobs.js";
import { modelPage, modelsPage } from "/models.js";
import { failure } from "/parts.js";
import { corner, signInPage } from "/session.js";
import { submitPage } from "/submit.js";

/** Addresses after the #. Parts in brackets go to the page. */
const routes = [
    [/^#\/jobs$/, jobsPage],
    [/^#\/jobs\/([0-9a-f]{64})$/, jobPage],
    [/^#\/models$/, modelsPage],
    [/^#\/models\/([A-Za-z0-9][A-Za-z0-9_-]{0,254})$/, modelPage],
    [/^#\/submit$/, submitPage],
    [/^#\/sign-in$/, signInPage],
];

const part = id => document.getElementById(id);
const main = part("main");
let worker;
let leaving = new AbortController();

/** Shows what the address says. */
async function show() {
    if (!location.hash.startsWith("#/"))
        history.replaceState(null, "", "#/jobs");
    leaving.abort();
    leaving = new AbortController();
    notice(false);
    try {
        worker ??= await readWorker();
    } catch (error) {
        main.replaceChildren(failure(error, show));
        return;
    }
    frame();
    const [page, argument] = find(location.hash);
    const place = {
        worker, signal: leaving.signal, notice, renew,
        title: text => document.title = `${text} · RegistryUnlearn`,
        announce: text => part("announcer").textContent = text,
    };
    main.replaceChildren(...[page(place, argument)].flat().filter(p => p));
}

function find(address) {
    if (!worker.mayRead)
        return [signInPage];
    for (const [pattern, page] of routes) {
        const match = pattern.exec(address);
        if (match)
            return [page, match[1]];
    }
    return [nothingPage];
}

function nothingPage(place) {
    place.title("Not found");
    return [h("h1", { tabindex: "-1" }, "There is nothing at this address"),
        h("p", { class: "lead" }, "See the ", h("a", { href: "#/jobs" }, "jobs"), " or the ", h("a", { href: "#/models" }, "models"), ".")];
}

/** What surrounds every page. */
function frame() {
    for (const link of document.querySelectorAll("nav a"))
        set(link, "aria-current", location.hash.startsWith(link.getAttribute("href")) && "page");
    part("session").replaceChildren(corner(worker, renew));
    const where = [worker.name && `Worker ${worker.name}`, worker.registry && `Registry ${worker.registry}`,
        worker.release && `RegistryUnlearn ${worker.release}`];
    part("footer").replaceChildren(h("div", { class: "inner" }, where.filter(w => w).map(w => h("span", null, w))));
}

/** Says that something is wrong for now, above every page; false when it is over. */
function notice(text) {
    const bar = part("notice");
    if (text ? bar.textContent !== text : bar.hasChildNodes())
        bar.replaceChildren(...text ? [h("p", null, text)] : []);
}

/** Asks again who one is, after signing in or out. */
async function renew() {
    worker = undefined;
    await show();
}

part("skip").addEventListener("click", event => {
    event.preventDefault();
    main.focus();
});
addEventListener("signedout", renew);
addEventListener("hashchange", async () => {
    await show();
    scrollTo(0, 0);
    (main.querySelector("h1") ?? main).focus({ preventScroll: true });
});
await show();
