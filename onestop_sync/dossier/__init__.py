"""The one-stop domain: schema, workflow, deadlines, codes, catalogue and legal profiles."""
