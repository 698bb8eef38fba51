using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using RegistryUnlearn.Faults;
using RegistryUnlearn.Worker.Tests.Hosting.Http;
using static Microsoft.Playwright.Assertions;

namespace RegistryUnlearn.Web.Tests;

/// <summary>The page in a real browser.</summary>
public sealed partial class PageTests(Chromium chromium) : IClassFixture<Chromium>
{
    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task From_the_key_to_the_report()
    {
        await using var window = await chromium.OpenAsync("#/submit");
        var page = window.Page;
        await Expect(page.GetByText("Sign in with the worker's key to submit requests.")).ToBeVisibleAsync();
        await page.GotoAsync("/#/sign-in");
        await page.GetByLabel("Key").FillAsync("not the key");
        await window.Named(AriaRole.Button, "Sign in").ClickAsync();
        await Expect(page.Locator(".failure")).ToContainTextAsync("the key is wrong");
        await page.GetByLabel("Key").FillAsync(RunningWorker.Key);
        await window.Named(AriaRole.Button, "Sign in").ClickAsync();
        await Expect(window.Named(AriaRole.Button, "Sign out")).ToBeVisibleAsync();
        Assert.DoesNotContain(RunningWorker.Key, await page.EvaluateAsync<string>("document.cookie + JSON.stringify(localStorage)"));

        await window.Named(AriaRole.Link, "Submit").ClickAsync();
        var request = page.GetByLabel("Request as JSON");
        await request.FillAsync("""{"schemaVersion": 1, "model": "tiny@1", "metod": "ltu"}""");
        await window.Named(AriaRole.Button, "Submit").ClickAsync();
        await Expect(page.Locator(".failure")).ToContainTextAsync("metod is unknown");
        await page.GetByLabel("Request file").SetInputFilesAsync(new FilePayload
        {
            Name = "request.json",
            MimeType = "application/json",
            Buffer = System.Text.Encoding.UTF8.GetBytes(TinyRegistry.Request(r => r["seed"] = 31)),
        });
        await Expect(request).ToHaveValueAsync(new Regex("\"seed\":31"));
        await window.Named(AriaRole.Button, "Submit").ClickAsync();

        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Forget 4 samples from tiny@1");
        await Expect(page.Locator(".status")).ToHaveTextAsync("succeeded");
        await Expect(page.Locator(".stages .done")).ToHaveCountAsync(5);
        await Expect(page.Locator(".run h2")).ToHaveTextAsync("finetunestep 6 of 6");
        await Expect(page.Locator(".plot path.line")).ToHaveCountAsync(1);

        var report = await page.RunAndWaitForPopupAsync(() => window.Named(AriaRole.Link, "Open the report").ClickAsync());
        await Expect(report.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("successor of tiny@1");
        Assert.Equal("null", await report.EvaluateAsync<string>("String(self.origin)"));
        await report.CloseAsync();

        await window.Named(AriaRole.Link, "See the lineage").ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("tiny");
        var rows = page.Locator(".lineage tbody tr");
        await Expect(rows.First).ToContainTextAsync(VersionOne);
        Assert.Equal(await rows.CountAsync(), await page.Locator(".graph .node").CountAsync());
        await Expect(page.Locator(".graph .edge")).ToHaveCountAsync(await rows.CountAsync() - 1);
    }

    [Fact]
    public async Task Where_others_can_connect_the_key_is_asked_for_first()
    {
        await using var window = await chromium.OpenAsync("#/nothing");
        await using var worker = await RunningWorker.StartAsync(host: "0.0.0.0");
        var page = window.Page;
        await page.GotoAsync($"{worker.Address}#/models");
        await page.GetByLabel("Key").FillAsync(RunningWorker.Key);
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByText("No jobs yet")).ToBeVisibleAsync();
        await window.Named(AriaRole.Link, "Models").ClickAsync();
        await Expect(page.Locator(".rows.models li")).ToHaveCountAsync(1);

        await page.Context.ClearCookiesAsync();
        await window.Named(AriaRole.Link, "Jobs").ClickAsync();
        await Expect(page.GetByLabel("Key")).ToBeVisibleAsync();
        await page.GetByLabel("Key").FillAsync(RunningWorker.Key);
        await page.Keyboard.PressAsync("Enter");
        await window.Named(AriaRole.Button, "Sign out").ClickAsync();
        await Expect(page.GetByLabel("Key")).ToBeVisibleAsync();
        await Expect(page.Locator("footer")).Not.ToContainTextAsync("memory");
    }

    [Fact]
    public async Task A_token_is_shown_where_the_worker_knows_no_key()
    {
        await using var window = await chromium.OpenAsync("#/nothing");
        using var authority = new TestAuthority();
        await using var worker = await RunningWorker.StartAsync(key: null, authority: authority);
        var page = window.Page;
        await page.GotoAsync($"{worker.Address}#/submit");
        await Expect(page.GetByText("Sign in with a token to submit requests.")).ToBeVisibleAsync();
        await window.Named(AriaRole.Link, "Sign in").First.ClickAsync();
        await page.GetByLabel("Token").FillAsync(authority.Token(audience: "api://other"));
        await window.Named(AriaRole.Button, "Sign in").ClickAsync();
        await Expect(page.Locator(".failure")).ToContainTextAsync("the token is meant for somebody else");
        var token = authority.Token();
        await page.GetByLabel("Token").FillAsync($" {token}\n");
        await window.Named(AriaRole.Button, "Sign in").ClickAsync();
        await Expect(window.Named(AriaRole.Button, "Sign out")).ToBeVisibleAsync();
        Assert.DoesNotContain(token, await page.EvaluateAsync<string>("document.cookie + JSON.stringify(localStorage)"));

        await window.Named(AriaRole.Link, "Submit").ClickAsync();
        await page.GetByLabel("Request as JSON").FillAsync(TinyRegistry.Request(r => r["seed"] = 38));
        await window.Named(AriaRole.Button, "Submit").ClickAsync();
        await Expect(page.Locator(".status")).ToHaveTextAsync("succeeded");
        await window.Named(AriaRole.Button, "Sign out").ClickAsync();
        await Expect(window.Named(AriaRole.Link, "Sign in")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Either_a_key_or_a_token_will_do()
    {
        await using var window = await chromium.OpenAsync("#/nothing");
        using var authority = new TestAuthority();
        await using var worker = await RunningWorker.StartAsync(authority: authority);
        foreach (var secret in new[] { RunningWorker.Key, authority.Token() })
        {
            await window.Page.GotoAsync($"{worker.Address}#/sign-in");
            await window.Page.GetByLabel("Key or token").FillAsync(secret);
            await window.Page.Keyboard.PressAsync("Enter");
            await window.Named(AriaRole.Button, "Sign out").ClickAsync();
            await Expect(window.Named(AriaRole.Link, "Sign in")).ToBeVisibleAsync();
        }
    }

    [Fact]
    public async Task A_job_is_watched_cancelled_and_retried()
    {
        await using var window = await chromium.OpenAsync("#/jobs", signedIn: true);
        var page = window.Page;
        var job = await chromium.Worker.SubmitAsync(RunningWorker.LongRequest(32));
        var row = page.Locator($"a[href='#/jobs/{job}']");
        await Expect(row).ToContainTextAsync(Moving);
        await row.ClickAsync();
        var bar = page.GetByRole(AriaRole.Progressbar);
        await Expect(bar).ToHaveAttributeAsync("aria-valuemax", $"{RunningWorker.LongSteps}");
        var before = int.Parse((await bar.GetAttributeAsync("aria-valuenow"))!);
        await Expect(bar).Not.ToHaveAttributeAsync("aria-valuenow", before.ToString());
        Assert.InRange(int.Parse((await bar.GetAttributeAsync("aria-valuenow"))!), before + 1, RunningWorker.LongSteps);
        await Expect(page).ToHaveTitleAsync(TitleWithShare);

        await window.Named(AriaRole.Button, "Cancel").ClickAsync();
        await window.Named(AriaRole.Button, "Leave it").ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);
        await window.Named(AriaRole.Button, "Cancel").ClickAsync();
        await window.Named(AriaRole.Button, "Cancel the job").ClickAsync();
        await Expect(page.Locator(".head .status")).ToHaveTextAsync("cancelled");
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("The job is cancelled");
        await window.Named(AriaRole.Button, "Retry").ClickAsync();
        await Expect(page.Locator(".head .status")).ToHaveTextAsync("running");
        await window.Named(AriaRole.Button, "Cancel").ClickAsync();
        await window.Named(AriaRole.Button, "Cancel the job").ClickAsync();
        await Expect(page.Locator(".head .status")).ToHaveTextAsync("cancelled");
    }

    [Fact]
    public async Task A_failed_job_says_why()
    {
        await using var window = await chromium.OpenAsync("#/jobs");
        var job = await chromium.Worker.SubmitAsync(TinyRegistry.Request(r =>
        {
            r["seed"] = 33;
            r["audit"] = JsonNode.Parse("""{"gates": [{"metric": "test.accuracy", "atLeast": 1.5}]}""");
        }));
        await chromium.Worker.UntilAsync(job, RunningWorker.HasEnded);
        await window.Page.GotoAsync($"/#/jobs/{job}");
        await Expect(window.Page.Locator(".failure")).ToContainTextAsync("gate-failed");
        await Expect(window.Page.Locator(".stages .failed")).ToHaveTextAsync("audit, failed");
        await Expect(window.Page.GetByText("Sign in with the worker's key to retry it.")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Everything_is_reached_by_keyboard()
    {
        var job = await FinishedJobAsync(34);
        await using var window = await chromium.OpenAsync("#/jobs", signedIn: true);
        var page = window.Page;
        await Expect(page.Locator($"a[href='#/jobs/{job}']")).ToBeVisibleAsync();
        foreach (var expected in new[]
        {
            "a Skip to content", "a RegistryUnlearn", "a Jobs", "a Models", "a Submit", "button Sign out", "a Submit a request",
        })
        {
            await page.Keyboard.PressAsync("Tab");
            Assert.Equal(expected, await window.FocusAsync());
            Assert.NotEqual("none", await page.EvaluateAsync<string>("getComputedStyle(document.activeElement).outlineStyle"));
        }
        await page.Locator($"a[href='#/jobs/{job}']").FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator(".head .status")).ToHaveTextAsync("succeeded");
        Assert.StartsWith("h1 ", await window.FocusAsync());

        var plot = page.GetByRole(AriaRole.Slider, new() { Name = "Losses by step" });
        await plot.FocusAsync();
        await page.Keyboard.PressAsync("Home");
        await Expect(plot).ToHaveAttributeAsync("aria-valuetext", FirstStep);
        await page.Keyboard.PressAsync("ArrowRight");
        await Expect(plot).ToHaveAttributeAsync("aria-valuenow", "2");
        await page.Keyboard.PressAsync("End");
        await Expect(plot).ToHaveAttributeAsync("aria-valuenow", "6");

        await page.GotoAsync("/#/models");
        await page.ReloadAsync();
        await Expect(page.Locator(".rows.models li")).ToHaveCountAsync(1);
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Enter");
        Assert.StartsWith("main ", await window.FocusAsync());
        await page.Keyboard.PressAsync("Tab");
        Assert.StartsWith("a tiny", await window.FocusAsync());
    }

    [Theory]
    [InlineData("#/jobs")]
    [InlineData("#/jobs/{job}")]
    [InlineData("#/models")]
    [InlineData("#/models/tiny")]
    [InlineData("#/submit")]
    [InlineData("#/sign-in")]
    [InlineData("#/nothing")]
    public async Task A_phone_scrolls_no_page_sideways(string address)
    {
        var job = await FinishedJobAsync(35);
        await using var window = await chromium.OpenAsync(address.Replace("{job}", job), width: 360, signedIn: address == "#/submit");
        await Expect(window.Page.Locator("h1")).ToBeVisibleAsync();
        await window.Page.WaitForLoadStateAsync(LoadState.NetworkIdle, new() { Timeout = 2_000 }).ContinueWith(_ => { }, Stop);
        Assert.True(await window.FitsAsync());
    }

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task Text_stands_out_from_its_ground(ColorScheme colors)
    {
        var job = await FinishedJobAsync(36);
        await using var window = await chromium.OpenAsync($"#/jobs/{job}", colors: colors);
        await Expect(window.Page.Locator(".result")).ToBeVisibleAsync();
        var ground = await window.Page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor");
        Assert.Equal(colors is ColorScheme.Light ? "rgb(253, 253, 251)" : "rgb(20, 23, 26)", ground);
        var contrasts = await window.Page.EvaluateAsync<double[]>(Contrasts, new[]
        {
            "h1", ".kicker", ".status", ".primary", ".result small", ".legend", ".facts dt", ".facts dd", "nav a", "footer", "text",
        });
        // Level AA of WCAG 2.2 for text, 1.4.3.
        Assert.All(contrasts, contrast => Assert.InRange(contrast, 4.5, 21));
    }

    [Fact]
    public async Task A_worker_that_is_gone_is_told_of_and_found_again()
    {
        await using var window = await chromium.OpenAsync("#/jobs");
        await FinishedJobAsync(37);
        await Expect(window.Page.Locator(".rows li").First).ToBeVisibleAsync();
        await window.Page.RouteAsync("**/api/**", route => route.AbortAsync());
        await Expect(window.Page.Locator("#notice")).ToContainTextAsync("The worker does not answer.");
        await window.Named(AriaRole.Link, "Models").ClickAsync();
        await Expect(window.Page.GetByRole(AriaRole.Alert).Filter(new() { HasText = "does not answer" })).ToBeVisibleAsync();
        await window.Page.UnrouteAsync("**/api/**");
        await window.Named(AriaRole.Button, "Try again").ClickAsync();
        await Expect(window.Page.Locator(".rows.models li")).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task Hostile_texts_stay_texts()
    {
        const string hostile = "<img src=x onerror=alert(1)><script>alert(2)</script>";
        await using var window = await chromium.OpenAsync("#/nothing");
        await window.Page.RouteAsync("**/api/jobs", route => route.FulfillAsync(new()
        {
            ContentType = "application/json",
            Body = new JsonArray(new JsonObject
            {
                ["job"] = new JsonObject
                {
                    ["job"] = new string('a', 64),
                    ["status"] = "failed",
                    ["submitted"] = "2026-01-01T00:00:00Z",
                    ["error"] = new JsonObject { ["reason"] = hostile },
                },
                ["request"] = new JsonObject { ["model"] = hostile, ["method"] = hostile, ["forgetCount"] = 1 },
            }, new JsonObject { ["damage"] = hostile }).ToJsonString(),
        }));
        await window.Page.RouteAsync("**/api/models", route => route.FulfillAsync(new()
        {
            ContentType = "application/json",
            Body = new JsonArray(new JsonObject { ["model"] = hostile, ["error"] = hostile }).ToJsonString(),
        }));
        foreach (var (name, times) in new[] { ("Jobs", 4), ("Models", 2) })
        {
            await window.Named(AriaRole.Link, name).ClickAsync();
            await Expect(window.Page.Locator("main").GetByText(hostile)).ToHaveCountAsync(times);
            Assert.Equal(0, await window.Page.Locator("main img, main script").CountAsync());
        }
    }

    /// <summary>A short job of its own seed; whoever asks again gets the same one.</summary>
    async Task<string> FinishedJobAsync(int seed)
    {
        Assert.SkipWhen(chromium.Worker is null, "there is no Chromium to look at it with");
        var job = await chromium.Worker!.SubmitAsync(TinyRegistry.Request(r => r["seed"] = seed));
        await chromium.Worker.UntilAsync(job, RunningWorker.HasEnded);
        return job;
    }

    /// <summary>The contrast of each element's text with what it stands on (WCAG 2.2, relative luminance).</summary>
    const string Contrasts = """
        names => {
            const parse = color => color.match(/[\d.]+/g).map(Number);
            const light = ([r, g, b]) => [r, g, b].map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
                .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
            const ground = element => {
                const color = parse(getComputedStyle(element).backgroundColor);
                return color[3] === 0 ? ground(element.parentElement) : color;
            };
            return names.map(name => {
                const element = document.querySelector(name);
                const style = getComputedStyle(element);
                const [a, b] = [light(parse(element instanceof SVGElement ? style.fill : style.color)), light(ground(element))];
                return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            });
        }
        """;

    [GeneratedRegex(@"^tiny@\d+")]
    static partial Regex VersionOne { get; }

    [GeneratedRegex(@"unlearn · \d+ of 1000000")]
    static partial Regex Moving { get; }

    [GeneratedRegex(@"^\d+ % unlearn · tiny@1 · RegistryUnlearn$")]
    static partial Regex TitleWithShare { get; }

    [GeneratedRegex(@"^step 1: remembering \d\.\d+$")]
    static partial Regex FirstStep { get; }
}
