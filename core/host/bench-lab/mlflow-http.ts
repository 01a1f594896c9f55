import { SluiceError } from '../../contract';

/** @param operation below MLflow's API. @throws SluiceError `runtime` with what the server says. */
export async function postJson<T>(url: string, operation: string, body: object): Promise<T> {
  return answerOf<T>(
    await fetch(`${url}/api/2.0/mlflow/${operation}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  );
}

/** As `postJson`. */
export async function getJson<T>(
  url: string,
  operation: string,
  query: Readonly<Record<string, string>>,
): Promise<T> {
  return answerOf<T>(
    await fetch(`${url}/api/2.0/mlflow/${operation}?${new URLSearchParams(query).toString()}`),
  );
}

async function answerOf<T>(answer: Response): Promise<T> {
  if (answer.ok) return (await answer.json()) as T;
  const said = (await answer.text()).slice(0, 500);
  throw new SluiceError('runtime', `${answer.url} answers ${answer.status}: ${said}`);
}
