import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HostileSite {
  readonly port: number;
  readonly end: () => Promise<void>;
}

/**
 * A site that a user of the console is lured to, on a port of this machine. It does nothing by itself: tests act from
 * its pages, without the limits that a policy of its own would set.
 */
export function startHostileSite(): Promise<HostileSite> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Win a prize</title>');
  });
  const end = (): Promise<void> =>
    new Promise((done) => {
      server.close(() => done());
      server.closeAllConnections();
    });
  return new Promise((done) => {
    server.listen(0, '127.0.0.1', () => done({ port: (server.address() as AddressInfo).port, end }));
  });
}
