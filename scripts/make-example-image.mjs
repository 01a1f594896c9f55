// Draws the example images of core/vision/examples and the text that stands in them:
//
//   node scripts/make-example-image.mjs
//
// Each is flat artwork (SVG), then photographed: perspective, turned a little, uneven light, soft focus, sensor noise.
// Seeded, so the same fonts give the same files. They are committed because a bare machine may have no fonts.
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import sharp from 'sharp';

const folder = resolve(import.meta.dirname, '../core/vision/examples');

/** Mulberry32, as core/base has it. */
function seededRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const receipt = {
  id: 'receipt',
  size: [640, 860],
  art: [560, 800],
  // Where the artwork's corners land in the photo, clockwise from top left.
  corners: [
    [62, 52],
    [592, 24],
    [612, 816],
    [36, 838],
  ],
  table: [96, 74, 58],
  light: { from: [0.15, 0.1], near: 1.04, far: 0.72 },
  noise: 3,
  blur: 0.6,
  lines: [
    'HARBOUR CAFE',
    '12 Quay Street, Bergen',
    'Receipt No. 20417',
    '2 x Cappuccino|9.00',
    '1 x Cinnamon bun|3.50',
    '1 x Orange juice|4.20',
    'Subtotal|16.70',
    'VAT 15%|2.51',
    'Total EUR|19.21',
    'Thank you, come again',
  ],
  draw(lines) {
    const at = [88, 140, 184, 268, 324, 380, 468, 520, 592, 700];
    const text = lines.map((line, i) => {
      const [left, right] = line.split('|');
      const big = i === 0 ? 44 : line.startsWith('Total') ? 36 : 30;
      const weight = i === 0 || line.startsWith('Total') ? 'bold' : 'normal';
      const style = `font-family="Liberation Sans" font-size="${big}" font-weight="${weight}" fill="#23211f" letter-spacing="1"`;
      if (right === undefined)
        return `<text x="280" y="${at[i]}" text-anchor="middle" ${style}>${left}</text>`;
      return (
        `<text x="44" y="${at[i]}" ${style}>${left}</text>` +
        `<text x="516" y="${at[i]}" text-anchor="end" ${style}>${right}</text>`
      );
    });
    const rule = (y) => `<path d="M44 ${y}H516" stroke="#55504a" stroke-width="2" stroke-dasharray="7 6"/>`;
    return `<rect width="560" height="800" fill="#f4f0e6"/>${rule(218)}${rule(420)}${rule(634)}${text.join('')}`;
  },
};

const sign = {
  id: 'sign',
  size: [720, 480],
  art: [640, 360],
  corners: [
    [54, 74],
    [676, 38],
    [656, 414],
    [70, 424],
  ],
  table: [128, 124, 116],
  light: { from: [0.8, 0], near: 1.08, far: 0.74 },
  noise: 4,
  blur: 0.7,
  lines: ['PLATFORM 4', 'Trains to the Old Harbour', 'Keep behind the yellow line'],
  draw([title, second, third]) {
    const text = (y, size, weight, words) =>
      `<text x="320" y="${y}" text-anchor="middle" font-family="Liberation Sans" font-size="${size}" ` +
      `font-weight="${weight}" fill="#f7f7f2">${words}</text>`;
    return (
      '<rect width="640" height="360" fill="#1d4f86"/>' +
      '<rect x="14" y="14" width="612" height="332" rx="18" fill="none" stroke="#f7f7f2" stroke-width="6"/>' +
      text(132, 84, 'bold', title) +
      text(214, 42, 'normal', second) +
      text(284, 36, 'normal', third)
    );
  },
};

async function photograph(scene, seed) {
  const [artWidth, artHeight] = scene.art;
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${artWidth}" height="${artHeight}">` +
    `${scene.draw(scene.lines)}</svg>`;
  const art = await sharp(Buffer.from(svg)).removeAlpha().raw().toBuffer();
  const [width, height] = scene.size;
  const inverse = squareToQuadInverse(scene.corners);
  const pixels = Buffer.alloc(width * height * 3);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const [u, v] = inverse(x, y);
      pixels.set(sample(art, artWidth, artHeight, u, v) ?? scene.table, (y * width + x) * 3);
    }
  }
  const raw = { raw: { width, height, channels: 3 } };
  const soft = await sharp(pixels, raw).blur(scene.blur).raw().toBuffer();
  expose(soft, scene, seededRandom(seed));
  return sharp(soft, raw).png({ palette: true, dither: 0, compressionLevel: 9, effort: 10 }).toBuffer();
}

/** Maps photo pixels back to the unit square (Heckbert 1989, section 2.2.3: square to quad, inverted by its adjoint). */
function squareToQuadInverse([p0, p1, p2, p3]) {
  const sx = p0[0] - p1[0] + p2[0] - p3[0];
  const sy = p0[1] - p1[1] + p2[1] - p3[1];
  const [dx1, dx2] = [p1[0] - p2[0], p3[0] - p2[0]];
  const [dy1, dy2] = [p1[1] - p2[1], p3[1] - p2[1]];
  const det = dx1 * dy2 - dx2 * dy1;
  const g = (sx * dy2 - dx2 * sy) / det;
  const h = (dx1 * sy - sx * dy1) / det;
  const [a, b, c] = [p1[0] - p0[0] + g * p1[0], p3[0] - p0[0] + h * p3[0], p0[0]];
  const [d, e, f] = [p1[1] - p0[1] + g * p1[1], p3[1] - p0[1] + h * p3[1], p0[1]];
  return (x, y) => {
    const w = (d * h - e * g) * x + (b * g - a * h) * y + (a * e - b * d);
    const u = ((e - f * h) * x + (c * h - b) * y + (b * f - c * e)) / w;
    const v = ((f * g - d) * x + (a - c * g) * y + (c * d - a * f)) / w;
    return [u, v];
  };
}

/** Bilinear RGB at (u, v) of the unit square, or undefined outside it. */
function sample(art, width, height, u, v) {
  if (u < 0 || v < 0 || u > 1 || v > 1) return undefined;
  const x = Math.min(width - 1.001, Math.max(0, u * width - 0.5));
  const y = Math.min(height - 1.001, Math.max(0, v * height - 0.5));
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [fx, fy] = [x - left, y - top];
  return [0, 1, 2].map((c) => {
    const at = (dx, dy) => art[((top + dy) * width + left + dx) * 3 + c];
    return (at(0, 0) * (1 - fx) + at(1, 0) * fx) * (1 - fy) + (at(0, 1) * (1 - fx) + at(1, 1) * fx) * fy;
  });
}

/** Levels are multiples of it: grain that compresses, files under 300 kB. */
const STEP = 6;

/** In place: a lamp at `light.from` (parts of the size), falling off with distance, and noise of that deviation. */
function expose(pixels, { size: [width, height], light, noise }, random) {
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const distance = Math.hypot(x / width - light.from[0], y / height - light.from[1]) / Math.SQRT2;
      const gain = light.near + (light.far - light.near) * distance;
      // The sum of three uniforms is close enough to a normal deviate; the same for all channels, as luma noise is.
      const grain = (random() + random() + random() - 1.5) * 2 * noise;
      for (let c = 0; c < 3; c += 1) {
        const at = (y * width + x) * 3 + c;
        pixels[at] = Math.min(255, Math.max(0, Math.round((pixels[at] * gain + grain) / STEP) * STEP));
      }
    }
  }
}

for (const [i, scene] of [receipt, sign].entries()) {
  const png = await photograph(scene, 20417 + i);
  await writeFile(resolve(folder, `${scene.id}.png`), png);
  await writeFile(resolve(folder, `${scene.id}.txt`), `${scene.lines.join('\n').replaceAll('|', ' ')}\n`);
  console.error(`${scene.id}.png: ${png.length} bytes`);
}
