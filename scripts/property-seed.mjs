import fc from 'fast-check';

/**
 * The same commit gets the same verdict: properties are tried on the same values each time, and `npm run fuzz` looks for
 * values that break them. A value it finds belongs into the test's `examples`.
 */
const RUNS_OF_FUZZ = 2000;

if (process.env.SLUICE_FUZZ === '1') fc.configureGlobal({ numRuns: RUNS_OF_FUZZ });
else fc.configureGlobal({ seed: 20_261_126 });
