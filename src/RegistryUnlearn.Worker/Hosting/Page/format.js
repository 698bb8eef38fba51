const dayFormat = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const timeFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const countFormat = new Intl.NumberFormat("en");

export const count = number => countFormat.format(number);

/** What a request wants forgotten: "3 samples and 1 group". */
export const whom = request => [
    request.forgetCount && counted(request.forgetCount, "sample", "samples"),
    request.forgetGroups && counted(request.forgetGroups, "group", "groups"),
].filter(Boolean).join(" and ");

export const counted = (number, one, many) => `${count(number)} ${number === 1 ? one : many}`;

/** Three significant digits, as in the report. */
export function number(value) {
    if (value === null || value === undefined)
        return "–";
    const size = Math.abs(value);
    if (size !== 0 && (size >= 10000 || size < 0.001))
        return value.toExponential(1).replace("-", "−");
    return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3).replace("-", "−");
}

/** A time span in its two largest units; from milliseconds. */
export function span(milliseconds) {
    const seconds = Math.max(0, Math.round(milliseconds / 1000));
    const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
    const first = units.findIndex(([size]) => seconds >= size);
    if (first < 0)
        return "0 s";
    const [size, name] = units[first];
    const whole = `${Math.floor(seconds / size)} ${name}`;
    const next = units[first + 1];
    const rest = next ? Math.floor(seconds % size / next[0]) : 0;
    return rest > 0 ? `${whole} ${rest} ${next[1]}` : whole;
}

export function ago(time) {
    const passed = Date.now() - Date.parse(time);
    if (passed < 10000)
        return "just now";
    return passed < 7 * 86400000 ? `${span(passed).split(" ").slice(0, 2).join(" ")} ago` : day(time);
}

export const day = time => dayFormat.format(new Date(time));

export const moment = time => timeFormat.format(new Date(time));

export const shortId = id => id.slice(0, 12);
