"""Training on the processes of a dask cluster, with the bits of one process."""
