"""Storage paths in S3, Google Cloud Storage and Azure."""
