/**
 * A cache is given to attention in whole blocks of so many rows; those past the last token are masked. No longer than
 * the shortest piece into which ONNX Runtime's matrix product cuts its inner axis (MLAS_SGEMM_STRIDEK), so that a block
 * is never cut. Also, the tensors of a cache then change once a block.
 */
export const CACHE_STEP_ROWS = 128;
