import { spawn } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';

import { DelayingProxy } from './delaying-proxy';
import type { LinkFault } from './delaying-proxy';
import type { LinkConditions } from './link-lane';
import { createNetworkNamespace } from './network-namespace';

/** A link to a server process with conditions and faults that can be changed while it is used. */
export interface ShapedLink {
  /** What limits the rate and what delays; faults are the proxy's in any case. */
  readonly means: { readonly rate: 'kernel' | 'proxy'; readonly delay: 'kernel' | 'proxy' };
  /** Where the server has to listen. */
  readonly serverHost: string;
  /** Starts the server where the link leads to. It must be ended by whoever started it. */
  spawn(command: string, args: readonly string[], options?: SpawnOptions): ChildProcess;
  /** @param port of the server. @returns where to reach it over the link; once a link. */
  connectTo(port: number): Promise<{ readonly host: string; readonly port: number }>;
  set(conditions: Partial<LinkConditions>): Promise<void>;
  setFault(fault: LinkFault): Promise<void>;
  close(): Promise<void>;
}

/**
 * By the kernel where this user and kernel can: a network namespace limits the rate, netem delays. The rest is done
 * by a proxy on loopback.
 * @param whyNot is told why the kernel does not limit the rate.
 */
export function createShapedLink(whyNot: (reason: string) => void): ShapedLink {
  const namespace = createNetworkNamespace(whyNot);
  const serverHost = namespace?.address ?? '127.0.0.1';
  const kernelDelays = namespace?.canDelay === true;
  let conditions: LinkConditions = { delayMs: 0, bytesPerSec: Infinity };
  let fault: LinkFault = { kind: 'none' };
  let proxy: DelayingProxy | undefined;
  const left = ({ delayMs, bytesPerSec }: LinkConditions): LinkConditions => ({
    delayMs: kernelDelays ? 0 : delayMs,
    bytesPerSec: namespace ? Infinity : bytesPerSec,
  });
  return {
    means: { rate: namespace ? 'kernel' : 'proxy', delay: kernelDelays ? 'kernel' : 'proxy' },
    serverHost,
    spawn: (command, args, options = {}) =>
      namespace ? namespace.spawn(command, args, options) : spawn(command, args, options),
    connectTo: async (port) => {
      await proxy?.close();
      proxy = await DelayingProxy.start({ host: serverHost, port, conditions: left(conditions) });
      await proxy.setFault(fault);
      return { host: proxy.host, port: proxy.port };
    },
    set: async (changed) => {
      conditions = { ...conditions, ...changed };
      const { delayMs, bytesPerSec } = conditions;
      proxy?.set(left(conditions));
      await namespace?.shape({ delayMs: kernelDelays ? delayMs : 0, bytesPerSec });
    },
    setFault: async (next) => {
      fault = next;
      await proxy?.setFault(next);
    },
    close: async () => {
      await proxy?.close();
      namespace?.remove();
    },
  };
}
