namespace RegistryUnlearn.Auditing.Statistics;

/// <summary>How wide the Gaussians are that are fitted to the models' values of a sample.</summary>
public enum PoolVariance
{
    /// <summary><see cref="Pooled"/> when some sample of the pool, or of the pool it is compared with, has fewer than 16 models, otherwise
    /// <see cref="PerSample"/>.</summary>
    ByModels,

    /// <summary>Every sample has the unbiased variance of its own values.</summary>
    PerSample,

    /// <summary>
    /// All samples share one variance, for few models (Carlini et al., S&amp;P 2022, section VI-C): the mean squared deviation of the
    /// values from their own sample's mean, unbiased. How the samples' means differ is no part of it.
    /// </summary>
    Pooled,
}
