import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { SluiceError, isNewerStore } from '../../contract';
import { choiceName, createAgent, decodeCheckpoint, encodeCheckpoint } from '../../offload';
import type { Agent, System } from '../../offload';
import { ioError, writeFileAtomic } from '../../storage';
import type { Log } from '../state-file';

/** An agent's first guesses must not depend on when it was made. */
export const FIRST_SEED = 1;

/** What agents learned, in files: one for each agent and set of choices, so that going back finds it again. */
export class AgentMemoryFiles {
  constructor(
    private readonly folder: string,
    private readonly log: Log,
  ) {}

  /**
   * An agent with what it learned before, also for another number of users, as far as that can be used; else a new one.
   * @throws SluiceError `not-found` for a name there is not, `unsupported` for too many users, and for what a newer Sluice
   * learned.
   */
  async open(name: string, system: System): Promise<Agent> {
    const fresh = createAgent(name, system, FIRST_SEED);
    if (!fresh.memory()) return fresh;
    const path = this.pathOf(name, system);
    const text = await readFile(path, 'utf8').catch((cause: unknown) => {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw ioError(`Can't read ${path}`, cause);
      return undefined;
    });
    if (text === undefined) return fresh;
    try {
      return decodeCheckpoint(text, path, system, FIRST_SEED);
    } catch (thrown) {
      // Learning anew would be saved over it.
      if (isNewerStore(thrown)) throw thrown;
      const { code, message } = SluiceError.from(thrown);
      // A damaged file may still be rescued by a person: it is not written over. One of other users is no damage.
      if (code !== 'unsupported') await this.setAside(path);
      this.log(`${name} starts anew: ${message}`);
      return fresh;
    }
  }

  /** Does nothing for an agent that does not learn. @throws SluiceError `io`. */
  async save(agent: Agent): Promise<void> {
    if (!agent.memory()) return;
    await mkdir(this.folder, { recursive: true });
    await writeFileAtomic(this.pathOf(agent.id, agent.system), encodeCheckpoint(agent));
  }

  async forget(agent: Agent): Promise<void> {
    await rm(this.pathOf(agent.id, agent.system), { force: true });
  }

  /** As it is: its text would be other bytes where it is no UTF-8. */
  private async setAside(path: string): Promise<void> {
    await copyFile(path, `${path}.damaged`);
    this.log(`${path} is damaged; a copy is kept as ${path}.damaged`);
  }

  private pathOf(name: string, system: System): string {
    const choices = Array.from({ length: system.choices }, (_, choice) => choiceName(system, choice));
    const digest = createHash('sha256').update(choices.join()).digest('hex').slice(0, 12);
    return join(this.folder, `${name}-${digest}.checkpoint`);
  }
}
