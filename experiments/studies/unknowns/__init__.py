"""Windows unlike what was learned from: rejections of classifiers, and models of normal windows alone."""
