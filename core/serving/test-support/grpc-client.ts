import { resolve } from 'node:path';

import { credentials, loadPackageDefinition, Metadata } from '@grpc/grpc-js';
import type { ChannelCredentials, Client, ServiceClientConstructor, ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const PROTO = resolve(import.meta.dirname, '../protocol/inference.proto');

/** What a call gave: the message with camel-case keys left as they are, and the trailing metadata. */
export interface GrpcAnswer {
  readonly message: Record<string, unknown>;
  readonly trailer: Metadata;
}

type Method = (
  request: object,
  metadata: Metadata,
  options: { readonly deadline?: number },
  callback: (error: ServiceError | null, message: Record<string, unknown>) => void,
) => { on(event: 'status', listener: (status: { metadata: Metadata }) => void): void; cancel(): void };

/** A plain client of `inference.GRPCInferenceService`. */
export class GrpcClient {
  private readonly client: Client & Record<string, Method>;

  constructor(url: string, secure: ChannelCredentials = credentials.createInsecure()) {
    const loaded = loadPackageDefinition(loadSync(PROTO, { keepCase: true, longs: Number, defaults: true }));
    const { GRPCInferenceService } = loaded['inference'] as Record<string, ServiceClientConstructor>;
    // The certificates of tests are localhost's; of an address it would name that address to the server, which Node 26 refuses.
    const options = { 'grpc.ssl_target_name_override': 'localhost' };
    this.client = new GRPCInferenceService!(url, secure, options) as unknown as Client &
      Record<string, Method>;
  }

  /** @throws ServiceError with `code` and `details`. */
  call(
    method: string,
    request: object = {},
    { token, signal }: { readonly token?: string; readonly signal?: AbortSignal } = {},
  ): Promise<GrpcAnswer> {
    const metadata = new Metadata();
    if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
    return new Promise((resolve, reject) => {
      let answer: Record<string, unknown> | undefined;
      const call = this.client[method]!(request, metadata, {}, (error, message) => {
        if (error) reject(error);
        else answer = message;
      });
      call.on('status', (status) => {
        if (answer) resolve({ message: answer, trailer: status.metadata });
      });
      signal?.addEventListener('abort', () => call.cancel(), { once: true });
    });
  }

  close(): void {
    this.client.close();
  }
}
