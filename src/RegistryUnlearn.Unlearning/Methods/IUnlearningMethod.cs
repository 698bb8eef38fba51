namespace RegistryUnlearn.Unlearning.Methods;

/// <summary>A way to change parameters, named in a request.</summary>
public interface IUnlearningMethod
{
    /// <summary>The name in requests, unique.</summary>
    string Name { get; }

    /// <summary>One line for people who choose.</summary>
    string Summary { get; }

    /// <summary>What it must be given beside the samples to forget.</summary>
    string Needs { get; }

    /// <summary>When another method serves better.</summary>
    string NotFor { get; }

    /// <summary>Reads the options of a request; what is wrong with them is added to the reader's errors, all at once.</summary>
    /// <returns>The options, to be handed to <see cref="Start"/>; they serialise to JSON with every default spelled out.</returns>
    object ReadOptions(OptionReader reader);

    /// <summary>Prepares a run at its first step.</summary>
    /// <exception cref="Data.DataException">The task lacks something that the method needs.</exception>
    MethodRun Start(UnlearningTask task, object options);
}
