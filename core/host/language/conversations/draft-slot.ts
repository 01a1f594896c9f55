import type { LanguageModel } from '../../../llm';
import type { Proposer } from '../../../vericache';
import type { OpenDraftModel } from '../open-draft-model';

/** @throws SluiceError as `LoadedDraftModels.open`. */
export type DraftModelOpener = (
  name: string,
  main: LanguageModel,
  signal?: AbortSignal,
) => Promise<OpenDraftModel>;

/**
 * The draft model of a conversation. Settings change at once and loading takes time, so it is loaded when a text is to
 * be drafted for, and one that is no longer wanted is closed when its last draft has ended.
 */
export class DraftSlot {
  private wanted = '';
  private held: (OpenDraftModel & { readonly name: string }) | undefined;
  private isBusy = false;
  private readonly proposer: Proposer;

  constructor(
    private readonly main: LanguageModel,
    private readonly open: DraftModelOpener,
  ) {
    const memoryBytes = (): number => this.held?.proposer.memoryBytes ?? 0;
    this.proposer = {
      name: 'draft-model',
      get memoryBytes() {
        return memoryBytes();
      },
      prepare: (text, signal) =>
        this.using(async () => {
          await this.load(signal);
          await this.current?.prepare(text, signal);
        }),
      propose: (text, limit, signal) =>
        this.using(async () => (await this.current?.propose(text, limit, signal)) ?? []),
    };
  }

  /** @param name of the library; '' for none. @returns what proposes once it is wanted. */
  proposerOf(name: string): Proposer | undefined {
    return name === '' ? undefined : this.proposer;
  }

  want(name: string): void {
    this.wanted = name;
    this.tidy();
  }

  /** Nothing may be drafting. */
  close(): void {
    this.want('');
  }

  private get current(): OpenDraftModel['proposer'] | undefined {
    return this.held?.name === this.wanted ? this.held.proposer : undefined;
  }

  private async load(signal: AbortSignal | undefined): Promise<void> {
    this.closeUnwanted();
    const name = this.wanted;
    if (this.held || name === '') return;
    this.held = { name, ...(await this.open(name, this.main, signal)) };
  }

  private async using<T>(work: () => Promise<T>): Promise<T> {
    this.isBusy = true;
    try {
      return await work();
    } finally {
      this.isBusy = false;
      this.tidy();
    }
  }

  private tidy(): void {
    if (!this.isBusy) this.closeUnwanted();
  }

  private closeUnwanted(): void {
    const { held } = this;
    if (!held || held.name === this.wanted) return;
    this.held = undefined;
    held.close();
  }
}
