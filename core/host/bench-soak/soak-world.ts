import type { Random } from '../../base';
import { SluiceError } from '../../contract';
import type { LabApi } from '../lab/connection/lab-api';
import type { HostLink } from '../bench/host-link';

/** What work is done with: where the processes are at present, and what has befallen them. */
export interface SoakWorld {
  /** Of the soak; not on the disk that is filled. */
  readonly workFolder: string;
  readonly dataDir: string;
  readonly labFolder: string;
  readonly random: Random;
  readonly nowMs: () => number;
  /** When the engine was killed. */
  readonly engineKillsMs: readonly number[];
  readonly endpointUrl: string;
  readonly labUrl: string;
  /** @throws SluiceError `engine-down` while there is none. */
  readonly host: () => HostLink;
  /** Of the server that runs now. @throws SluiceError `unavailable`. */
  lab(): Promise<LabApi>;
}

export function noHost(): SluiceError {
  return new SluiceError('engine-down', 'The engine has been killed and is not back yet.');
}
