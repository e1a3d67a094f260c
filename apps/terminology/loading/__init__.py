"""Take over a hospital's own releases of RxNorm, ICD-10-CM and CVX: read, check, and write the bundle's own formats."""
