import type { ArtifactPath } from '../artifacts/artifact-path';
import type { RemoteHttp } from './remote-http';
import type { FileToSend } from './sync-target';

/** Sends a file from a byte on. @returns what the remote answers. */
export async function sendContent(
  http: RemoteHttp,
  url: string,
  file: FileToSend,
  from = 0,
): Promise<unknown> {
  const content = await file.contentFrom(from);
  try {
    return await http.put(url, content, file.bytes - from);
  } finally {
    content.destroy();
  }
}

/** By MLflow's proxy, in one go. */
export async function sendToProxy(http: RemoteHttp, path: ArtifactPath, file: FileToSend): Promise<void> {
  await sendContent(http, `/api/2.0/mlflow-artifacts/artifacts/${encodedPath(path)}`, file);
}

export function encodedPath(path: ArtifactPath): string {
  return path.map(encodeURIComponent).join('/');
}
