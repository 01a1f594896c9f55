import { openLanguageModel, type LanguageModel } from '../../llm';
import type { OrtEnvironment } from '../../ort';
import { draftModel, type DraftModel } from '../../vericache';

/** A draft model in memory, with its weights. */
export interface OpenDraftModel {
  readonly proposer: DraftModel;
  /** What drafts with it is closed before. */
  readonly close: () => void;
}

/**
 * Loads a model that drafts for another.
 * @throws SluiceError `bad-input` when its vocabulary is another, and as `openLanguageModel`.
 */
export async function openDraftModel(
  file: string,
  main: LanguageModel,
  environment: OrtEnvironment,
  signal?: AbortSignal,
): Promise<OpenDraftModel> {
  const model = await openLanguageModel(file, environment, signal ? { signal } : {});
  try {
    const proposer = draftModel({ model, main });
    return {
      proposer,
      close: () => {
        proposer.close();
        model.close();
      },
    };
  } catch (error) {
    model.close();
    throw error;
  }
}
