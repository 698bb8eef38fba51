import { call } from "/api.js";
import { h } from "/dom.js";
import { failure, head, invitation } from "/parts.js";

/** The worker takes no larger body. */
const maxBytes = 16 * 1024 * 1024;

const template = `{
  "schemaVersion": 1,
  "model": "name@1",
  "method": { "name": "match" },
  "seed": 1,
  "data": {
    "train": { "path": "datasets/train.npz" },
    "holdout": { "path": "datasets/holdout.npz" },
    "test": { "path": "datasets/test.npz" }
  },
  "forget": { "ids": [] },
  "retain": { "fraction": 0.1, "seed": 1 },
  "publish": { "parent": "quarantine", "alias": "production" }
}
`;

/** Where a request is pasted, or chosen as a file, and becomes a job. */
export function submitPage(place) {
    place.title("Submit");
    const invited = invitation(place.worker, "submit requests");
    if (invited)
        return [head("Request", "Submit a request"), invited];
    const text = h("textarea", { id: "request", rows: 18, spellcheck: "false", autocapitalize: "off", required: true });
    const file = h("input", { id: "file", type: "file", accept: ".json,application/json", hidden: true, "aria-label": "Request file" });
    const button = h("button", { class: "primary" }, "Submit");
    const outcome = h("div");
    const read = async chosen => {
        if (!chosen)
            return;
        if (chosen.size > maxBytes)
            outcome.replaceChildren(failure(new Error("The file has more than 16 MiB; registry-unlearn submit takes larger ones.")));
        else {
            text.value = await chosen.text();
            outcome.replaceChildren();
        }
    };
    const submit = async event => {
        event.preventDefault();
        button.disabled = true;
        outcome.replaceChildren();
        try {
            const { job } = await call("/api/jobs", { method: "POST", body: text.value, signal: place.signal });
            text.value = "";
            location.hash = `#/jobs/${job}`;
        } catch (error) {
            if (error.name !== "AbortError")
                outcome.replaceChildren(failure(error));
        }
        button.disabled = false;
    };
    file.addEventListener("change", () => read(file.files[0]));
    text.addEventListener("dragover", event => event.preventDefault());
    text.addEventListener("drop", event => {
        event.preventDefault();
        read(event.dataTransfer.files[0]);
    });
    return [
        head("Request", "Submit a request"),
        h("p", { class: "lead" }, "What to forget, from which model, how. The same request is one job, however often it is submitted. The "
            + "ids of the samples are stored with the request and shown nowhere."),
        h("form", { onsubmit: submit },
            h("div", { class: "label-row" }, h("label", { for: "request" }, "Request as JSON"),
                h("span", { class: "actions" },
                    h("button", { type: "button", class: "quiet", onclick: () => file.click() }, "Choose a file"),
                    h("button", { type: "button", class: "quiet", onclick: () => {
                        text.value = template;
                        text.focus();
                    } }, "Insert a template"))),
            text, file, h("div", { class: "actions end" }, button), outcome),
    ];
}
