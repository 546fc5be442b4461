namespace FramePainter.Pipeline;

/// <summary>What the noise levels depend on. The betas and the spacing of the training schedule do not enter into Karras sigmas.</summary>
/// <param name="SigmaMin">The last noise level but the closing zero; above 0. SVD: 0.002.</param>
/// <param name="SigmaMax">The first noise level; above <paramref name="SigmaMin"/>. SVD: 700.</param>
/// <param name="Rho">The exponent of Karras et al. (2022), equation 5, where it is 7.</param>
sealed record SchedulerSettings(double SigmaMin, double SigmaMax, double Rho = 7);
