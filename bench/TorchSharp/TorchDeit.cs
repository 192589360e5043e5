using Deit.Model;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Deit.Bench.TorchSharp;

/// <summary>DeiT with a class token in TorchSharp, as torch_peer.py has it: [B, 3, H, W] to logits [B, classes].</summary>
internal sealed class TorchDeit : nn.Module<Tensor, Tensor>
{
    private const double Epsilon = 1e-6,
        Deviation = 0.02;
    private readonly Conv2d patch_embed;
    private readonly Parameter cls_token;
    private readonly Parameter pos_embed;
    private readonly ModuleList<Block> blocks;
    private readonly LayerNorm norm;
    private readonly Linear head;

    /// <param name="config">Width, depth, heads, patches, classes.</param>
    /// <param name="dropPath">The rate of the last block; it rises from 0 in the first.</param>
    public TorchDeit(DeitConfig config, double dropPath)
        : base(nameof(TorchDeit))
    {
        int dim = config.EmbedDim,
            patches = config.InputSize.Height / config.PatchSize * (config.InputSize.Width / config.PatchSize);
        patch_embed = nn.Conv2d(3, dim, config.PatchSize, stride: config.PatchSize);
        cls_token = new Parameter(Deviation * randn(1, 1, dim));
        pos_embed = new Parameter(Deviation * randn(1, patches + 1, dim));
        blocks = nn.ModuleList<Block>([
            .. Enumerable
                .Range(0, config.Depth)
                .Select(i => new Block(dim, config.NumHeads, dropPath * i / Math.Max(1, config.Depth - 1))),
        ]);
        norm = nn.LayerNorm(dim, Epsilon);
        head = nn.Linear(dim, config.NumClasses);
        RegisterComponents();
    }

    /// <summary>The parameters that weight decay shrinks: all but biases, norms, class token and positions.</summary>
    public IEnumerable<Parameter> Decayed => named_parameters().Where(IsDecayed).Select(p => p.parameter);

    /// <summary>The other parameters.</summary>
    public IEnumerable<Parameter> Undecayed => named_parameters().Where(p => !IsDecayed(p)).Select(p => p.parameter);

    public override Tensor forward(Tensor images)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = patch_embed.forward(images).flatten(2).transpose(1, 2); // [B, T - 1, C]
        x = cat([cls_token.expand(x.shape[0], -1, -1), x], 1) + pos_embed; // [B, T, C]
        foreach (Block block in blocks)
            x = block.forward(x);
        // Only the class token's row is read: the others need no norm, as with ours.
        return head.forward(norm.forward(x.select(1, 0))).MoveToOuterDisposeScope();
    }

    private static bool IsDecayed((string name, Parameter parameter) p) =>
        p.parameter.dim() > 1 && p.name is not (nameof(cls_token) or nameof(pos_embed));

    private sealed class Block : nn.Module<Tensor, Tensor>
    {
        private readonly LayerNorm norm1;
        private readonly Linear qkv;
        private readonly Linear proj;
        private readonly LayerNorm norm2;
        private readonly Linear fc1;
        private readonly Linear fc2;
        private readonly int _heads;
        private readonly double _dropPath;

        public Block(int dim, int heads, double dropPath)
            : base(nameof(Block))
        {
            (_heads, _dropPath) = (heads, dropPath);
            norm1 = nn.LayerNorm(dim, Epsilon);
            qkv = nn.Linear(dim, 3 * dim);
            proj = nn.Linear(dim, dim);
            norm2 = nn.LayerNorm(dim, Epsilon);
            fc1 = nn.Linear(dim, 4 * dim);
            fc2 = nn.Linear(4 * dim, dim);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using DisposeScope scope = NewDisposeScope();
            x = x + DropPath(Attention(norm1.forward(x)));
            x = x + DropPath(fc2.forward(nn.functional.gelu(fc1.forward(norm2.forward(x)))));
            return x.MoveToOuterDisposeScope();
        }

        private Tensor Attention(Tensor x)
        {
            (long batch, long tokens, long dim) = (x.shape[0], x.shape[1], x.shape[2]);
            Tensor[] parts = qkv.forward(x)
                .view(batch, tokens, 3, _heads, dim / _heads)
                .permute(2, 0, 3, 1, 4) // [3, B, H, T, D]
                .unbind(0);
            Tensor y = nn.functional.scaled_dot_product_attention(parts[0], parts[1], parts[2]);
            return proj.forward(y.transpose(1, 2).reshape(batch, tokens, dim));
        }

        // Each image loses the branch with this probability; the others' is made larger by as much.
        private Tensor DropPath(Tensor branch)
        {
            if (!training || _dropPath == 0)
                return branch;
            double keep = 1 - _dropPath;
            return branch * rand(branch.shape[0], 1, 1).lt(keep).to(ScalarType.Float32).div_(keep);
        }
    }
}
