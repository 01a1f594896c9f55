export { exportForTransformersJs } from './export/export-folder';
export { generate } from './generate/generate';
export type { FinishReason, GenerateOptions, Generation } from './generate/generate';
export type { SamplingOptions } from './generate/sampler';
export { openLanguageModel, readLanguageModelFacts } from './language-model';
export type { LanguageModel, LanguageModelFacts } from './language-model';
export { ChatTemplate } from './tokenizer/chat-template';
