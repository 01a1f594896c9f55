import { median } from '../../../base';
import { round } from '../../bench/bar';
import type { Decoded, PeerPrecision, PeerSide } from './side-protocol';

/** One side's figures for one prompt length. */
export interface PeerRow {
  readonly side: PeerSide;
  readonly precision: PeerPrecision;
  /** Tokens of the prompt. */
  readonly contextTokens: number;
  readonly threads: number;
  /** Median over bursts. */
  readonly tokensPerSec: number;
  /** Of each burst; bursts of both sides with the same place ran one after the other. */
  readonly burstTokensPerSec: readonly number[];
  readonly prefillTokensPerSec: number;
  readonly loadMs: number;
  /** Of the whole process after a burst, median. */
  readonly rssBytes: number;
  /** What the last burst generated. */
  readonly tokens: readonly number[];
}

/** Sluice against the peer, at one prompt length. */
export interface PeerRatio {
  readonly precision: PeerPrecision;
  readonly contextTokens: number;
  /** Tokens per second of Sluice over the peer's: median over pairs of bursts. */
  readonly ratio: number;
  /** Leading tokens on which both agree. All, in float32; packed, the peer's weights are rounded anew. */
  readonly agreeingTokens: number;
}

export function toRow(
  of: Pick<PeerRow, 'side' | 'precision' | 'contextTokens' | 'threads'>,
  measured: { readonly loadMs: number; readonly prefillMs: number; readonly bursts: readonly Decoded[] },
): PeerRow {
  const { loadMs, prefillMs, bursts } = measured;
  const rates = bursts.map(({ tokens, decodeMs }) => (tokens.length * 1000) / decodeMs);
  return {
    ...of,
    tokensPerSec: round(median(rates)),
    burstTokensPerSec: rates.map(round),
    prefillTokensPerSec: round((of.contextTokens * 1000) / prefillMs),
    loadMs: Math.round(loadMs),
    rssBytes: median(bursts.map(({ rssBytes }) => rssBytes)),
    tokens: bursts.at(-1)?.tokens ?? [],
  };
}

/** @returns a ratio for every pair of rows that differ in their side alone. */
export function peerRatios(rows: readonly PeerRow[]): PeerRatio[] {
  return rows.flatMap((own) => {
    if (own.side !== 'sluice') return [];
    const peer = rows.find(
      ({ side, precision, contextTokens }) =>
        side !== 'sluice' && precision === own.precision && contextTokens === own.contextTokens,
    );
    if (!peer) return [];
    const ratios = own.burstTokensPerSec.map((rate, index) => rate / peer.burstTokensPerSec[index]!);
    const differing = own.tokens.findIndex((token, index) => token !== peer.tokens[index]);
    return [
      {
        precision: own.precision,
        contextTokens: own.contextTokens,
        ratio: round(median(ratios)),
        agreeingTokens: differing < 0 ? own.tokens.length : differing,
      },
    ];
  });
}
