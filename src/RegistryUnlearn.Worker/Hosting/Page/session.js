import { call } from "/api.js";
import { h } from "/dom.js";
import { failure, head, invitation } from "/parts.js";

/** What can be shown, by the worker's word for it. */
const ways = {
    "key": { label: "Key", lead: "the key that the worker was started with (Http:KeyFile)", autocomplete: "current-password" },
    "token": { label: "Token", lead: "a token of the authority that the worker believes (Http:Authority)", autocomplete: "off" },
    "key-or-token": {
        label: "Key or token", lead: "the key that the worker was started with, or a token of the authority that it believes",
        autocomplete: "off",
    },
};

/** Where both can be shown: a JSON Web Token is a JSON object in base64, and two more parts. */
const isToken = text => /^eyJ[^.]*\.[^.]*\.[^.]*$/.test(text);

const headersFor = (way, text) => way === "token" || way === "key-or-token" && isToken(text)
    ? { "Authorization": `Bearer ${text}` }
    : { "X-Registry-Unlearn-Key": text };

/** Where a key or a token becomes a session. */
export function signInPage(place) {
    place.title("Sign in");
    const { worker } = place;
    if (worker.mayWrite) {
        return [head("Session", "You are signed in"), h("p", { class: "lead" }, "You may submit, cancel and retry jobs. ",
            h("a", { href: "#/jobs" }, "See the jobs"), ".")];
    }
    const way = ways[worker.signIn];
    if (!way)
        return [head("Session", "Signing in is not set up"), invitation(worker, "write")];
    const secret = h("input", { id: "secret", type: "password", autocomplete: way.autocomplete, required: true, spellcheck: "false" });
    const button = h("button", { class: "primary" }, "Sign in");
    const outcome = h("div");
    const signIn = async event => {
        event.preventDefault();
        button.disabled = true;
        outcome.replaceChildren();
        try {
            await call("/api/session", { method: "POST", headers: headersFor(worker.signIn, secret.value.trim()) });
            secret.value = "";
            await place.renew();
            location.hash = "#/jobs";
        } catch (error) {
            outcome.replaceChildren(failure(error));
            secret.select();
            secret.focus();
        }
        button.disabled = false;
    };
    return [
        head("Session", "Sign in"),
        h("p", { class: "lead" }, worker.mayRead
            ? `Everybody on this machine can look. To submit, cancel and retry jobs, show ${way.lead}.`
            : `Show ${way.lead}.`),
        h("form", { class: "narrow", onsubmit: signIn },
            h("input", { type: "text", autocomplete: "username", value: "worker", hidden: true }),
            h("label", { for: "secret" }, way.label), secret,
            h("div", { class: "actions" }, button), outcome),
    ];
}

/** The corner that says who one is. */
export function corner(worker, renew) {
    if (worker.mayWrite && worker.signIn in ways) {
        const leave = async () => {
            await call("/api/session", { method: "DELETE" });
            await renew();
        };
        return h("button", { type: "button", class: "quiet", onclick: leave }, "Sign out");
    }
    return !worker.mayWrite && worker.signIn in ways ? h("a", { href: "#/sign-in" }, "Sign in") : "";
}
