"""Sources of evidence that Microsoft Graph answers, one module each."""
