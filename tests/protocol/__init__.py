"""Two protocol cores joined in memory."""
