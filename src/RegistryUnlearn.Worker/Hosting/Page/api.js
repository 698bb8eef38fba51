/** What went wrong with a call, as a sentence that says what to do. `status` is 0 when the worker did not answer. */
export class ApiError extends Error {
    constructor(status, message) {
        super(message);
        this.status = status;
    }
}

const silence = "The worker does not answer. Check that it still runs and can be reached from here; this page goes on trying.";

/** Calls the worker. Gives its JSON, or null where it has none. Who may not read any more is signed out: the window hears of it. */
export async function call(path, { method = "GET", body, headers = {}, signal } = {}) {
    let answer;
    try {
        answer = await fetch(path, {
            method, body, signal,
            headers: body === undefined ? headers : { "Content-Type": "application/json", ...headers },
            credentials: "same-origin",
        });
    } catch (error) {
        throw error.name === "AbortError" ? error : new ApiError(0, silence);
    }
    const isJson = /^application\/(problem\+)?json/.test(answer.headers.get("Content-Type") ?? "");
    const document = isJson ? await answer.json() : null;
    if (answer.status === 401 && method === "GET")
        dispatchEvent(new Event("signedout"));
    if (!answer.ok)
        throw new ApiError(answer.status, document?.detail ?? `The worker answered ${answer.status}. Its log says more.`);
    return document;
}

/** Who the worker is and what it lets this page do; see WorkerView. */
export const readWorker = () => call("/api/worker");

/**
 * Follows a job until it has ended or `signal` fires: `onView` gets each state, `onSilence` whether the connection is lost. A browser
 * reconnects by itself unless it was refused; then this tries again, ever more slowly.
 */
export function watch(id, signal, onView, onSilence) {
    const longest = 30000;
    let wait = 1000;
    let source;
    let timer;
    const close = () => {
        clearTimeout(timer);
        source?.close();
    };
    const open = () => {
        source = new EventSource(`/api/jobs/${id}/events`);
        source.addEventListener("open", () => {
            wait = 1000;
            onSilence(false);
        });
        source.addEventListener("job", event => {
            const view = JSON.parse(event.data);
            if (view.job.finished)
                source.close();
            onView(view);
        });
        source.addEventListener("error", () => {
            onSilence(true);
            if (source.readyState !== EventSource.CLOSED)
                return;
            timer = setTimeout(open, wait);
            wait = Math.min(longest, wait * 2);
        });
    };
    signal.addEventListener("abort", close);
    open();
    return close;
}

/** Does something now and every so many milliseconds until `signal` fires; not while nobody looks. */
export function every(milliseconds, signal, action) {
    let timer;
    let isAtWork = false;
    const turn = async () => {
        if (isAtWork)
            return;
        isAtWork = true;
        clearTimeout(timer);
        if (!document.hidden)
            await action();
        isAtWork = false;
        if (!signal.aborted)
            timer = setTimeout(turn, typeof milliseconds === "function" ? milliseconds() : milliseconds);
    };
    const wake = () => document.hidden || turn();
    document.addEventListener("visibilitychange", wake, { signal });
    signal.addEventListener("abort", () => clearTimeout(timer));
    turn();
}
