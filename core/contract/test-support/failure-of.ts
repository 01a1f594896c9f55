import { SluiceError } from '../errors';

/** The error that a promise is refused with. @throws Error when it is not, or with another kind of error. */
export async function failureOf(work: Promise<unknown>): Promise<SluiceError> {
  const failure = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  return asSluiceError(failure);
}

/** The error that some work throws. @throws Error when it throws none, or another kind of error. */
export function thrownBy(work: () => unknown): SluiceError {
  let failure: unknown;
  try {
    work();
  } catch (error) {
    failure = error;
  }
  return asSluiceError(failure);
}

function asSluiceError(failure: unknown): SluiceError {
  if (failure instanceof SluiceError) return failure;
  const found = failure === undefined ? 'none' : 'another error';
  throw new Error(`Expected it to fail with a SluiceError, found ${found}.`, { cause: failure });
}
