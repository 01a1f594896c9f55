/** An 8-bit sRGB image, rows top to bottom. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  /** Interleaved RGB, `width * height * 3` bytes, no row padding. Owned by the image: readers must not write it. */
  readonly data: Uint8Array;
}
