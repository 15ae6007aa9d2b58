"""Electronic certificates (电子证照): templates, pages, issue, and what they look like."""
