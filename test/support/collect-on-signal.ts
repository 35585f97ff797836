// Imported by a process under test that runs with --expose-gc: a full collection when SIGUSR2 says so.
process.on('SIGUSR2', () => globalThis.gc?.());
