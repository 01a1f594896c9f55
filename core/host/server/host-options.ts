import { SluiceError } from '../../contract';
import { isLoopback } from './addresses';

export interface HostOptions {
  readonly host: string;
  readonly port: number;
  readonly tokenFile?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tls?: 'self-signed';
  readonly insecureHttp?: boolean;
  readonly allowedHost?: readonly string[];
  readonly sessionMinutes: number;
  readonly idleMinutes: number;
  readonly user?: string;
  readonly allowRoot?: boolean;
  readonly open?: boolean;
}

const HOST_NAME = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/i;

/**
 * What goes together and what does not, before anything is opened.
 * @throws SluiceError `bad-input`, with what to do.
 */
export function checkHostOptions(options: HostOptions, isRoot: boolean): void {
  const { host, tls, tlsCert, tlsKey, insecureHttp = false, user, allowRoot = false } = options;
  const hasFiles = tlsCert !== undefined || tlsKey !== undefined;
  const secure = hasFiles || tls !== undefined;
  if (hasFiles && tls !== undefined)
    refuse('--tls self-signed makes its own certificate: leave out --tls-cert and --tls-key.');
  if (secure && insecureHttp) refuse('--insecure-http: TLS is asked for as well. Leave one out.');
  const bad = (options.allowedHost ?? []).find((name) => !HOST_NAME.test(name));
  if (bad !== undefined)
    refuse(`--allowed-host ${bad}: expected NAME or NAME:PORT, without a scheme or a path.`);
  if (isLoopback(host)) return;
  if (!secure && !insecureHttp) {
    refuse(
      `--host ${host} is open to the network: give --tls self-signed, or --tls-cert and --tls-key, ` +
        'or --insecure-http when a proxy in front does TLS.',
    );
  }
  if (isRoot && user === undefined && !allowRoot) {
    refuse(`--host ${host} as root: give --user NAME to go on as that user, or --allow-root.`);
  }
}

function refuse(message: string): never {
  throw new SluiceError('bad-input', message);
}
