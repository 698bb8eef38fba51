using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Worker.Jobs;

namespace RegistryUnlearn.Worker.Hosting.Http;

/// <summary>Errors as problem documents (RFC 9457), with the same sentence that the command line would print.</summary>
static class Problems
{
    /// <summary>Turns what endpoints throw into answers. Only defects are logged: what callers do wrong is theirs to know.</summary>
    public static ExceptionHandlerOptions Handling { get; } = new()
    {
        ExceptionHandler = HandleAsync,
        SuppressDiagnosticsCallback = context => StatusOf(context.Exception) is not StatusCodes.Status500InternalServerError,
    };

    static Task HandleAsync(HttpContext context)
    {
        var error = context.Features.Get<IExceptionHandlerFeature>()?.Error;
        context.Response.StatusCode = StatusOf(error);
        // Of a defect only the log tells more.
        return WriteAsync(context, context.Response.StatusCode is StatusCodes.Status500InternalServerError
            ? "this is a defect of registry-unlearn; its log says more" : error!.Message);
    }

    /// <summary>Answers with the status that is set.</summary>
    public static Task WriteAsync(HttpContext context, string detail) =>
        TypedResults.Problem(detail, statusCode: context.Response.StatusCode).ExecuteAsync(context);

    static int StatusOf(Exception? error) => error switch
    {
        RegistryException { Kind: RegistryErrorKind.NotFound } => StatusCodes.Status404NotFound,
        RegistryException { Kind: RegistryErrorKind.Withdrawn } => StatusCodes.Status410Gone,
        RegistryException { Kind: RegistryErrorKind.Invalid } => StatusCodes.Status400BadRequest,
        RegistryException { Kind: RegistryErrorKind.Conflict or RegistryErrorKind.Corrupt } => StatusCodes.Status409Conflict,
        RegistryException => StatusCodes.Status503ServiceUnavailable,
        InputException or FormatException or JobCancelledException => StatusCodes.Status400BadRequest,
        BadHttpRequestException bad => bad.StatusCode,
        _ => StatusCodes.Status500InternalServerError,
    };
}
