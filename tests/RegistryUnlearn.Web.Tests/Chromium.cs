using Microsoft.Playwright;
using RegistryUnlearn.Worker.Tests.Hosting.Http;

namespace RegistryUnlearn.Web.Tests;

/// <summary>The system's own Chromium and a worker for it to look at; tests are skipped where there is no Chromium.</summary>
public sealed class Chromium : IAsyncLifetime
{
    const string Executable = "/usr/bin/chromium";

    /// <summary>Milliseconds that the page may take for anything.</summary>
    const float Patience = 30_000;

    IPlaywright? playwright;
    IBrowser? browser;

    internal RunningWorker Worker { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists(Executable))
            return;
        Worker = await RunningWorker.StartAsync();
        Assertions.SetDefaultExpectTimeout(Patience);
        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = Executable, Args = ["--no-sandbox"] });
    }

    /// <summary>A window with nothing remembered, at the page of the worker.</summary>
    internal async Task<Window> OpenAsync(string address, int width = 1200, ColorScheme colors = ColorScheme.Light, bool signedIn = false)
    {
        Assert.SkipWhen(browser is null, $"there is no {Executable}: apt-get install chromium");
        var context = await browser!.NewContextAsync(new()
        {
            BaseURL = Worker.Address.ToString(),
            ViewportSize = new() { Width = width, Height = 800 },
            ColorScheme = colors,
        });
        context.SetDefaultTimeout(Patience);
        if (signedIn)
        {
            await context.APIRequest.PostAsync("/api/session",
                new() { Headers = new Dictionary<string, string> { [RunningWorker.KeyHeader] = RunningWorker.Key } });
        }
        var window = new Window(context, await context.NewPageAsync());
        await window.Page.GotoAsync("/" + address);
        return window;
    }

    public async ValueTask DisposeAsync()
    {
        if (browser is not null)
            await browser.DisposeAsync();
        playwright?.Dispose();
        if (Worker is not null)
            await Worker.DisposeAsync();
    }
}

/// <summary>A browser's window; when it closes, the page must not have complained.</summary>
sealed class Window : IAsyncDisposable
{
    readonly IBrowserContext context;
    readonly List<string> complaints = [];

    public Window(IBrowserContext context, IPage page)
    {
        (this.context, Page) = (context, page);
        page.PageError += (_, error) => complaints.Add(error);
        page.Console += (_, message) =>
        {
            // A refused call shows in the console; the page says so to people.
            if (message.Type is "error" or "warning" && !message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal))
                complaints.Add(message.Text);
        };
    }

    public IPage Page { get; }

    public ILocator Named(AriaRole role, string name) => Page.GetByRole(role, new() { Name = name, Exact = true });

    /// <summary>Whether the page is no wider than the window.</summary>
    public Task<bool> FitsAsync() => Page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth");

    /// <summary>What has the focus, as its role or tag and its text.</summary>
    public Task<string> FocusAsync() => Page.EvaluateAsync<string>(
        "(document.activeElement.getAttribute('role') ?? document.activeElement.tagName.toLowerCase()) + ' ' "
        + "+ (document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent).trim()");

    public async ValueTask DisposeAsync()
    {
        await context.CloseAsync();
        Assert.Empty(complaints);
    }
}
