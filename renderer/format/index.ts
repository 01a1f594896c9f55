export {
  formatBytes,
  formatBytesOf,
  formatClock,
  formatCount,
  formatEta,
  formatMs,
  formatPct,
  formatRate,
  formatShape,
  NO_FIGURE,
  parseSize,
} from './format';
