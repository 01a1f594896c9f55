export {
  formatBytes,
  formatBytesOf,
  formatClock,
  formatCount,
  formatEta,
  formatFigure,
  formatMs,
  formatPct,
  formatRate,
  formatShape,
  NO_FIGURE,
  parseSize,
} from './format';
