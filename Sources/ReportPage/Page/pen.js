// SPDX-License-Identifier: Apache-2.0

/** Draws on a canvas, in the page's colours, whatever the screen's density. */
class Pen {
  /** @param {HTMLCanvasElement} canvas @param {number} width @param {number} height in CSS pixels */
  constructor(canvas, width, height) {
    // No browser draws on a canvas of more than 32767 pixels: of hundreds of vCPUs the picture is coarser.
    const density = Math.min(window.devicePixelRatio || 1, 2, 32767 / height);
    canvas.width = Math.round(width * density);
    canvas.height = Math.round(height * density);
    canvas.style.height = `${height}px`;
    const context = canvas.getContext("2d");
    if (!context) throw new Error("the browser draws on no canvas");
    this.context = context;
    context.scale(density, density);
    this.style = getComputedStyle(document.documentElement);
  }

  /** @param {string} name */
  colour(name) { return this.style.getPropertyValue(name).trim(); }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @param {number} height
   * @param {string} colour
   * @param {number} [opacity]
   */
  box(x, y, width, height, colour, opacity = 1) {
    this.context.globalAlpha = opacity;
    this.context.fillStyle = this.colour(colour);
    this.context.fillRect(x, y, width, height);
    this.context.globalAlpha = 1;
  }

  /** @param {number} x @param {number} y @param {number} width @param {number} height @param {string} colour */
  hatch(x, y, width, height, colour) {
    const { context } = this;
    context.save();
    context.beginPath();
    context.rect(x, y, width, height);
    context.clip();
    context.strokeStyle = this.colour(colour);
    context.lineWidth = 1;
    context.beginPath();
    // All hatched regions have their lines at the same places: neighbours look like one.
    for (let start = Math.floor((x - height) / 6) * 6; start < x + width; start += 6) {
      context.moveTo(start, y + height);
      context.lineTo(start + height, y);
    }
    context.stroke();
    context.restore();
  }

  /** @param {number} x @param {number} y @param {number} height @param {string} colour @param {number} width */
  line(x, y, height, colour, width) {
    this.context.fillStyle = this.colour(colour);
    this.context.fillRect(x - width / 2, y, width, height);
  }

  /** @param {number} x @param {number} y @param {number} width @param {number} height @param {string} colour */
  frame(x, y, width, height, colour) {
    this.context.strokeStyle = this.colour(colour);
    this.context.lineWidth = 2;
    this.context.strokeRect(x, y, width, height);
  }

  /** @param {number} x @param {number} y @param {string} colour @param {string} shape */
  mark(x, y, colour, shape) {
    const { context } = this;
    const size = 4.5;
    context.fillStyle = this.colour(colour);
    context.strokeStyle = this.colour("--paper");
    context.beginPath();
    if (shape === "circle") context.arc(x, y, size, 0, 2 * Math.PI);
    else if (shape === "square") context.rect(x - size, y - size, 2 * size, 2 * size);
    else if (shape === "diamond") {
      context.moveTo(x, y - size - 1);
      context.lineTo(x + size + 1, y);
      context.lineTo(x, y + size + 1);
      context.lineTo(x - size - 1, y);
    } else {
      context.moveTo(x - size, y - 2 * size);
      context.lineTo(x + size, y - 2 * size);
      context.lineTo(x, y);
    }
    context.closePath();
    context.fill();
    context.stroke();
  }

  /**
   * @param {string} words
   * @param {number} x
   * @param {number} y
   * @param {string} colour
   * @param {boolean} [isBold]
   * @param {number} [room]
   */
  text(words, x, y, colour, isBold = false, room) {
    const { context } = this;
    context.font = `${isBold ? "600 " : ""}11px system-ui, sans-serif`;
    context.fillStyle = this.colour(colour);
    let shown = printable(words);
    if (room !== undefined && context.measureText(shown).width > room) {
      while (shown.length > 1 && context.measureText(`${shown}…`).width > room) shown = shown.slice(0, -1);
      shown = shown.length > 2 ? `${shown}…` : "";
    }
    context.fillText(shown, x, y);
  }
}
