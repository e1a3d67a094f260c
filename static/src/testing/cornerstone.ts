/**
 * Cornerstone as far as the viewer uses it: a viewport that keeps its state, a tool group that keeps its bindings.
 * Worlds are image indices; on the screen an image starts at (10, 20) and `zoom` is CSS pixels for an image pixel.
 */
type Binding = { mouseButton?: number; numTouchPoints?: number };

export class Viewport {
  ids: string[] = [];
  index = 0;
  size = { columns: 100, rows: 50 };
  properties: { invert?: boolean } = {};
  private scale = 2;

  constructor(readonly element: HTMLElement) {}

  async setStack(ids: string[], index: number): Promise<void> {
    this.ids = ids;
    await this.setImageIdIndex(index);
  }
  async setImageIdIndex(index: number): Promise<void> {
    this.index = index;
    this.element.dispatchEvent(new Event(Enums.Events.STACK_NEW_IMAGE));
    this.render();
  }
  getImageIds = () => this.ids;
  getCurrentImageIdIndex = () => this.index;
  getCurrentImageId = () => this.ids[this.index];
  getImageData = () => ({ dimensions: [this.size.columns, this.size.rows, 1], imageData: {} });
  worldToCanvas = ([x, y]: number[]) => [10 + this.scale * (x ?? 0), 20 + this.scale * (y ?? 0)];
  getZoom = () => this.scale;
  setZoom(zoom: number): void {
    this.scale = zoom;
  }
  getProperties = () => this.properties;
  setProperties(properties: { invert?: boolean }): void {
    this.properties = properties;
  }
  resetCamera(): void {
    this.scale = 2;
  }
  resetProperties(): void {
    this.properties = {};
  }
  render(): void {
    this.element.dispatchEvent(new Event(Enums.Events.IMAGE_RENDERED));
  }
}

export class ToolGroup {
  readonly active = new Map<string, Binding[]>();
  readonly tools: string[] = [];

  addTool(name: string): void {
    this.tools.push(name);
  }
  addViewport(): void {}
  setToolActive(name: string, { bindings }: { bindings: Binding[] }): void {
    this.active.set(name, bindings);
  }
  setToolPassive(name: string): void {
    this.active.delete(name);
  }
  /** The tool on a mouse button. */
  onButton(button: number): string | undefined {
    for (const [name, bindings] of this.active)
      if (bindings.some((binding) => binding.mouseButton === button)) return name;
    return undefined;
  }
}

export const Enums = {
  Events: { IMAGE_RENDERED: "image-rendered", STACK_NEW_IMAGE: "stack-new-image" },
  ViewportType: { STACK: "stack" },
};
export const MouseBindings = { Primary: 1, Secondary: 2, Auxiliary: 4, Wheel: 524288 };

/** What the newest `Stack` works on. */
export const started: {
  viewport?: Viewport;
  tools?: ToolGroup;
  /** The viewer's settings for loading ahead, and the element it loads ahead for. */
  prefetch: { configuration?: unknown; element?: HTMLElement | undefined };
} = { prefetch: {} };

/** In place of `@cornerstonejs/core`. */
export const core = {
  Enums,
  init: async () => {},
  RenderingEngine: class {
    enableElement({ element }: { element: HTMLElement }): void {
      started.viewport = new Viewport(element);
    }
    getViewport = () => started.viewport;
    resize(): void {}
  },
  utilities: { transformIndexToWorld: (_: unknown, index: number[]) => index },
};

const tool = (toolName: string) => ({ toolName });

/** In place of `@cornerstonejs/tools`. */
export const tools = {
  addTool: () => {},
  init: () => {},
  Enums: { MouseBindings },
  LengthTool: tool("Length"),
  PanTool: tool("Pan"),
  StackScrollTool: tool("StackScroll"),
  WindowLevelTool: tool("WindowLevel"),
  ZoomTool: tool("Zoom"),
  utilities: {
    stackContextPrefetch: {
      setConfiguration: (configuration: unknown) => {
        started.prefetch.configuration = configuration;
      },
      enable: (element: HTMLElement) => {
        started.prefetch.element = element;
      },
      disable: () => {
        started.prefetch.element = undefined;
      },
    },
  },
  ToolGroupManager: {
    createToolGroup: (): ToolGroup | undefined => {
      started.tools = new ToolGroup();
      return started.tools;
    },
  },
};

/** In place of `@cornerstonejs/dicom-image-loader`. */
export const loader = { default: { init: () => {} } };

/** In place of `@cornerstonejs/metadata`: what was told of each image. */
export const metadata = new Map<string, unknown>();
type Provider = (type: string, imageId: unknown) => unknown;
/** Who answers what Cornerstone asks about an image, with their priorities. */
export const providers: [Provider, number][] = [];

export const metaData = {
  metaData: {
    addTyped: (_: string, imageId: string, value: unknown) => void metadata.set(imageId, value),
    addProvider: (provider: Provider, priority: number) => void providers.push([provider, priority]),
  },
};
