import { call } from "/api.js";
import { h } from "/dom.js";
import { failure, head, invitation } from "/parts.js";

/** Where a key becomes a session. */
export function signInPage(place) {
    place.title("Sign in");
    const { worker } = place;
    if (worker.mayWrite) {
        return [head("Session", "You are signed in"), h("p", { class: "lead" }, "You may submit, cancel and retry jobs. ",
            h("a", { href: "#/jobs" }, "See the jobs"), ".")];
    }
    if (worker.signIn !== "key")
        return [head("Session", "Signing in is not set up"), invitation(worker, "write")];
    const key = h("input", { id: "key", type: "password", autocomplete: "current-password", required: true, spellcheck: "false" });
    const button = h("button", { class: "primary" }, "Sign in");
    const outcome = h("div");
    const signIn = async event => {
        event.preventDefault();
        button.disabled = true;
        outcome.replaceChildren();
        try {
            await call("/api/session", { method: "POST", headers: { "X-Registry-Unlearn-Key": key.value } });
            key.value = "";
            await place.renew();
            location.hash = "#/jobs";
        } catch (error) {
            outcome.replaceChildren(failure(error));
            key.select();
            key.focus();
        }
        button.disabled = false;
    };
    return [
        head("Session", "Sign in"),
        h("p", { class: "lead" }, worker.mayRead
            ? "Everybody on this machine can look. To submit, cancel and retry jobs, show the key that the worker was started with."
            : "Show the key that the worker was started with (Http:KeyFile)."),
        h("form", { class: "narrow", onsubmit: signIn },
            h("input", { type: "text", autocomplete: "username", value: "worker", hidden: true }),
            h("label", { for: "key" }, "Key"), key,
            h("div", { class: "actions" }, button), outcome),
    ];
}

/** The corner that says who one is. */
export function corner(worker, renew) {
    if (worker.mayWrite && worker.signIn === "key") {
        const leave = async () => {
            await call("/api/session", { method: "DELETE" });
            await renew();
        };
        return h("button", { type: "button", class: "quiet", onclick: leave }, "Sign out");
    }
    return !worker.mayWrite && worker.signIn === "key" ? h("a", { href: "#/sign-in" }, "Sign in") : "";
}
