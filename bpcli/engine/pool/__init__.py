"""Who computes: this process alone, threads, or forked processes over shared memory."""
