import { SluiceError } from '../../../contract';
import { readVocabulary, requireSameVocabulary } from '../../../llm';
import type { LanguageModel } from '../../../llm';
import type { OrtEnvironment } from '../../../ort';
import type { LoadedModels } from '../../models/loaded-models';
import type { LanguageLibrary, LanguageModelEntry } from '../library/language-library';
import { openDraftModel, type OpenDraftModel } from '../open-draft-model';

export interface LoadedDraftModelsParts {
  readonly library: Pick<LanguageLibrary, 'entry' | 'has'>;
  readonly budget: Pick<LoadedModels, 'hold'>;
  readonly environment: () => OrtEnvironment;
  /** No reply is at work. */
  readonly isIdle: () => boolean;
  /** Closes what drafts. */
  readonly unload: () => Promise<void>;
}

/** Draft models in memory: each is its source's to close, and counts beside the models that reply. */
export class LoadedDraftModels {
  private readonly names = new Set<string>();

  constructor(private readonly parts: LoadedDraftModelsParts) {}

  /** Whether it is in memory as a draft model, or on its way. */
  has(name: string): boolean {
    return this.names.has(name);
  }

  /** @throws SluiceError `bad-input` when its vocabulary is another; `not-found`, `corrupt-store` for either model. */
  async check(name: string, main: string): Promise<void> {
    const [draft, replying] = [this.usable(name), this.usable(main)];
    // By name: that is how they were chosen.
    requireSameVocabulary(
      { ...(await readVocabulary(replying.path)), file: main },
      { ...(await readVocabulary(draft.path)), file: name },
    );
  }

  /** @throws SluiceError as `check`, `budget-too-small`, `bad-model`, `io`, `runtime`, `cancelled`. */
  async open(name: string, main: LanguageModel, signal?: AbortSignal): Promise<OpenDraftModel> {
    const { budget, environment, isIdle, unload } = this.parts;
    const { path, weightBytes } = this.usable(name);
    let open: OpenDraftModel | undefined;
    this.names.add(name);
    const drop = await budget
      .hold({
        model: name,
        parameterBytes: weightBytes,
        activationBytes: () => (open ? open.proposer.memoryBytes - weightBytes : 0),
        isIdle,
        unload,
      })
      .catch((thrown: unknown) => {
        this.names.delete(name);
        throw thrown;
      });
    const forget = (): void => {
      this.names.delete(name);
      drop();
    };
    try {
      const { proposer, close } = await openDraftModel(path, main, environment(), signal);
      open = {
        proposer,
        close: () => {
          close();
          forget();
        },
      };
      return open;
    } catch (thrown) {
      forget();
      throw thrown;
    }
  }

  private usable(name: string): LanguageModelEntry {
    const { library } = this.parts;
    if (!library.has(name)) {
      throw new SluiceError(
        'not-found',
        `The language model '${name}' is not in the library any more. Import it again under this name, or choose another.`,
        { name },
      );
    }
    const entry = library.entry(name);
    if (entry.state === 'ready') return entry;
    throw new SluiceError('corrupt-store', `${name} can't be used: ${entry.stateReason ?? ''}`, { name });
  }
}
