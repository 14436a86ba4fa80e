"""What a request used, cost and took: usage, prices, metrics, its log line and its spans."""
