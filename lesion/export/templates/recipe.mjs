// From a picture to a mask: what model.json says in words, around a session of onnxruntime-web.
//
//   const { probability, mask } = await segment(ort, session, recipe, image);

// Segment a picture.
// image: {data, width, height}, bytes of red, green, blue (and alpha), as of a canvas.
// Returns probability, Float32Array, and mask, Uint8Array of 0 and 1, of a value for each pixel.
export async function segment(ort, session, recipe, image) {
  const { image_size: size, channels, views } = recipe;
  const { width, height } = image;
  const small = resize(withChannels(image, channels), width, height, channels, size);
  const length = small.length;
  const inputs = new Float32Array(views.length * length);
  views.forEach((axes, i) => inputs.set(flip(small, size, channels, axes), i * length));
  const picture = new ort.Tensor("float32", inputs, [views.length, size, size, channels]);
  const answers = (await session.run({ picture })).probability.data;
  const average = new Float32Array(size * size);
  views.forEach((axes, i) => {
    const answer = answers.subarray(i * average.length, (i + 1) * average.length);
    flip(answer, size, 1, axes).forEach((value, at) => (average[at] += value / views.length));
  });
  const probability = stretch(average, size, size, 1, width, height);
  const threshold = Math.fround(recipe.threshold);
  const mask = Uint8Array.from(probability, (value) => value >= threshold);
  return { probability, mask: recipe.one_lesion ? largestComponent(mask, width, height) : mask };
}

// Return the bytes of an image with 1 or 3 channels; gray as Pillow makes it.
function withChannels({ data, width, height }, channels) {
  const given = data.length / (width * height);
  const made = new Uint8Array(width * height * channels);
  for (let from = 0, to = 0; from < data.length; from += given, to += channels) {
    const [red, green, blue] = [data[from], data[from + 1], data[from + 2]];
    if (channels === 3) made.set([red, green, blue], to);
    else made[to] = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16;
  }
  return made;
}

// Squash bytes to size x size, as values in 0..1: what shrinks is averaged over areas, what grows
// is interpolated linearly, each rounded to bytes, as by OpenCV.
export function resize(bytes, width, height, channels, size) {
  const [columns, rows] = [Math.min(width, size), Math.min(height, size)];
  const shrunk = apply(bytes, width, height, channels, areas(width, columns), areas(height, rows));
  const grown = stretch(shrunk.map(Math.round), columns, rows, channels, size, size);
  return grown.map((value) => Math.round(value) / 255);
}

// Interpolate linearly between the centres of pixels.
function stretch(values, width, height, channels, newWidth, newHeight) {
  const [columns, rows] = [between(width, newWidth), between(height, newHeight)];
  return apply(values, width, height, channels, columns, rows);
}

// For each new position: the old ones that it is made of, as pairs [position, weight].
function areas(from, to) {
  const scale = from / to;
  return Array.from({ length: to }, (_, i) => {
    const [start, end] = [i * scale, Math.min((i + 1) * scale, from)];
    const parts = [];
    for (let at = Math.floor(start); at < end - 1e-9; at++) {
      parts.push([at, (Math.min(at + 1, end) - Math.max(at, start)) / scale]);
    }
    return parts;
  });
}

function between(from, to) {
  return Array.from({ length: to }, (_, i) => {
    const at = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    const low = Math.min(Math.floor(at), Math.max(from - 2, 0));
    return from === 1 ? [[0, 1]] : [[low, 1 - (at - low)], [low + 1, at - low]];
  });
}

// Make each new value of the old ones in its columns, then of those in its rows.
function apply(values, width, height, channels, columns, rows) {
  const wide = new Float32Array(height * columns.length * channels);
  for (let y = 0, to = 0; y < height; y++) {
    for (const parts of columns) {
      for (let c = 0; c < channels; c++, to++) {
        for (const [x, weight] of parts) wide[to] += weight * values[(y * width + x) * channels + c];
      }
    }
  }
  const line = columns.length * channels;
  const made = new Float32Array(rows.length * line);
  rows.forEach((parts, row) => {
    for (const [y, weight] of parts) {
      for (let x = 0; x < line; x++) made[row * line + x] += weight * wide[y * line + x];
    }
  });
  return made;
}

// Mirror a square along axes: 0 turns rows around, 1 columns. Its own inverse.
function flip(values, size, channels, axes) {
  const made = new Float32Array(values.length);
  const turn = (position, axis) => (axes.includes(axis) ? size - 1 - position : position);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const from = (turn(y, 0) * size + turn(x, 1)) * channels;
      for (let c = 0; c < channels; c++) made[(y * size + x) * channels + c] = values[from + c];
    }
  }
  return made;
}

// Keep the component (8 neighbours) that covers most with its holes, and fill these.
export function largestComponent(mask, width, height) {
  // What cannot be reached from the frame without crossing a component belongs to one.
  const filled = new Uint8Array(mask.length).fill(1);
  const sides = [[-1, 0], [1, 0], [0, -1], [0, 1]];
  for (let x = 0; x < width; x++) {
    for (const y of [0, height - 1]) flood(filled, mask, 0, y * width + x, width, height, sides);
  }
  for (let y = 0; y < height; y++) {
    for (const x of [0, width - 1]) flood(filled, mask, 0, y * width + x, width, height, sides);
  }
  const corners = [...sides, [-1, -1], [-1, 1], [1, -1], [1, 1]];
  const left = filled.slice();
  let largest = [];
  for (let at = 0; at < left.length; at++) {
    const component = flood(left, filled, 1, at, width, height, corners);
    if (component.length > largest.length) largest = component;
  }
  const kept = new Uint8Array(mask.length);
  for (const at of largest) kept[at] = 1;
  return kept;
}

// Set to 0 in `left` what is 1 there, has a value in `values` and hangs together with a start.
function flood(left, values, value, start, width, height, neighbours) {
  const found = [];
  const visit = (at) => {
    if (left[at] && values[at] === value) {
      left[at] = 0;
      found.push(at);
    }
  };
  visit(start);
  for (let next = 0; next < found.length; next++) {
    const [y, x] = [Math.floor(found[next] / width), found[next] % width];
    for (const [down, right] of neighbours) {
      const [row, column] = [y + down, x + right];
      if (row >= 0 && row < height && column >= 0 && column < width) visit(row * width + column);
    }
  }
  return found;
}
