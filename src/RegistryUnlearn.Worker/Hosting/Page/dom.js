const svgSpace = "http://www.w3.org/2000/svg";

/** Makes an HTML element. Children are elements, or texts, which stay texts; null and false are left out. */
export const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);

/** Makes an SVG element. */
export const s = (tag, attributes, ...children) => fill(document.createElementNS(svgSpace, tag), attributes, children);

/** Sets a text only if it has changed: what is selected or read aloud stays as it is. */
export function say(element, text) {
    if (element.textContent !== text)
        element.textContent = text;
}

/** Sets an attribute, or removes it for null and false. */
export function set(element, name, value) {
    if (value === null || value === undefined || value === false)
        element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value === true ? "" : value))
        element.setAttribute(name, value === true ? "" : value);
}

/** Replaces the children, only if they differ in what `key` says. */
export function replaceIf(element, key, make) {
    if (element.dataset.key === key)
        return;
    element.dataset.key = key;
    element.replaceChildren(...[make()].flat().filter(isThere));
}

const isThere = child => child !== null && child !== undefined && child !== false;

function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes ?? {})) {
        if (name.startsWith("on"))
            element.addEventListener(name.slice(2), value);
        else
            set(element, name, value);
    }
    element.append(...children.flat().filter(isThere));
    return element;
}
