import { call } from "/api.js";
import { h } from "/dom.js";
import { ago, counted, day } from "/format.js";
import { lineage } from "/lineage.js";
import { empty, failure, head, pill, time } from "/parts.js";

/** Fills an element with what a call gives, or with why it gives nothing. */
function load(place, element, path, draw) {
    const read = async () => {
        try {
            element.replaceChildren(...[draw(await call(path, { signal: place.signal }))].flat());
        } catch (error) {
            if (error.name !== "AbortError")
                element.replaceChildren(failure(error, read));
        }
    };
    read();
    return element;
}

/** All models with their versions and aliases. */
export function modelsPage(place) {
    place.title("Models");
    const body = h("div", null, h("p", { class: "lead" }, "Reading the models …"));
    return [head("Registry", "Models"), load(place, body, "/api/models", models => models.length > 0
        ? h("ul", { class: "rows models" }, models.map(modelRow))
        : empty("No models yet", "A model is a folder of versions in the registry, each with a model.onnx: ",
            h("code", null, "{model}/{version}/model.onnx"), ". Put one there and it appears here."))];
}

function modelRow({ model, versions, error }) {
    if (error)
        return h("li", { class: "broken" }, h("b", null, model), failure(new Error(error)));
    const served = versions.filter(v => v.status === "published" || v.status === "adopted");
    const gone = versions.length - served.length;
    const newest = served.at(-1);
    return h("li", null, h("a", { href: `#/models/${model}` },
        h("span", { class: "what" }, h("b", null, model), h("small", null, counted(served.length, "version", "versions"),
            gone > 0 && `, ${gone} withdrawn`)),
        h("span", { class: "outcome" }, versions.flatMap(v => v.aliases.map(a => pill(`${a} → ${v.version}`)))),
        h("span", { class: "when" }, newest ? `newest @${newest.version}` : "none is served",
            newest?.created && h("small", null, time(newest.created, ago(newest.created))))));
}

/** One model: which version was made from which, by which job. */
export function modelPage(place, name) {
    place.title(name);
    const body = h("div", null, h("p", { class: "lead" }, "Reading the lineage …"));
    return [head("Model", name), load(place, body, `/api/models/${name}/lineage`, model => [
        aliases(model), h("section", null, h("h2", null, "Lineage"), lineage(model)),
    ])];
}

function aliases({ model, versions }) {
    const all = versions.flatMap(v => v.aliases.map(a => [a, v]));
    return h("section", null, h("h2", null, "Aliases"), all.length > 0
        ? h("dl", { class: "tiles" }, all.map(([alias, v]) => h("div", null, h("dt", null, alias),
            h("dd", null, h("b", null, `${model}@${v.version}`), v.created && h("span", null, `made ${day(v.created)}`)))))
        : h("p", { class: "lead" }, "None. Consumers that follow an alias need one: ",
            h("code", null, `registry-unlearn models promote ${model}@${versions.at(-1).version} --alias production`)));
}
