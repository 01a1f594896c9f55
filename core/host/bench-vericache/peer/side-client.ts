import { fork, type ChildProcess } from 'node:child_process';

import { workerFile } from '../../../base';
import { dismiss, tell } from '../../bench/commanded-process';
import type { Decoded, Opened, PeerSide, Prefilled, SideCommand, SideModel } from './side-protocol';

const ENTRIES: Readonly<Record<PeerSide, string>> = {
  sluice: 'bench-peer-sluice',
  'transformers.js': 'bench-peer-transformers',
};

/** One side's process, as the bench sees it. One command at a time. */
export class SideClient {
  private constructor(
    readonly side: PeerSide,
    private readonly child: ChildProcess,
  ) {}

  static start(side: PeerSide): SideClient {
    // What a library prints must not get into the bench's own output.
    return new SideClient(
      side,
      fork(workerFile(ENTRIES[side]), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
    );
  }

  open(model: SideModel): Promise<Opened> {
    return this.tell({ kind: 'open', model }) as Promise<Opened>;
  }

  prefill(prompt: readonly number[], newTokens: number): Promise<Prefilled> {
    return this.tell({ kind: 'prefill', prompt, newTokens }) as Promise<Prefilled>;
  }

  decode(newTokens: number): Promise<Decoded> {
    return this.tell({ kind: 'decode', newTokens }) as Promise<Decoded>;
  }

  /** Ends it at once, whatever it is doing. */
  kill(): void {
    this.child.kill('SIGKILL');
  }

  end(): Promise<void> {
    return dismiss(this.child, this.side, { kind: 'end' });
  }

  private tell(command: SideCommand): Promise<unknown> {
    return tell(this.child, this.side, command);
  }
}
