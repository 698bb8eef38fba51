using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Unlearning.Tests.Data;

public class NpyHeaderTests
{
    [Theory]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", NpyElementType.Float32, 4, false, new long[] { 2, 3 })]
    [InlineData("{'shape': (), 'descr': '|u1', 'fortran_order': True}\n", NpyElementType.UInt8, 1, true, new long[0])]
    [InlineData(" { \"descr\" : \"<i8\" , 'shape': (5L,), 'fortran_order': False , } ", NpyElementType.Int64, 8, false, new long[] { 5 })]
    [InlineData("{'descr': '<U7', 'fortran_order': False, 'shape': (0,)}", NpyElementType.Unicode, 28, false, new long[] { 0 })]
    [InlineData("{'descr': '|S3', 'fortran_order': False, 'shape': (1,)}", NpyElementType.Bytes, 3, false, new long[] { 1 })]
    [InlineData("{'descr': '<i1', 'fortran_order': False, 'shape': (1,)}", NpyElementType.Int8, 1, false, new long[] { 1 })]
    public void Reads_the_dictionary(string text, NpyElementType type, int itemSize, bool fortran, long[] shape)
    {
        var header = NpyHeader.Parse(text);

        Assert.Equal((type, itemSize, fortran), (header.ElementType, header.ItemSize, header.FortranOrder));
        Assert.Equal(shape, header.Shape);
    }

    [Theory]
    [InlineData("", "lacks a '{'")]
    [InlineData("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", "pickled")]
    [InlineData("{'descr': '>f4', 'fortran_order': False, 'shape': (1,)}", "big-endian")]
    [InlineData("{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", "'<c8' is not supported")]
    [InlineData("{'descr': '<U0', 'fortran_order': False, 'shape': (1,)}", "'<U0' is not supported")]
    [InlineData("{'descr': '|S99999999999', 'fortran_order': False, 'shape': (1,)}", "is not supported")]
    [InlineData("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "structured")]
    [InlineData("{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}", "True or False")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", "whole number")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775808,)}", "whole number")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1 2)}", "lacks a ','")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1", "whole number")]
    [InlineData("{'descr': '<f4', 'shape': (1,)}", "lacks one of")]
    [InlineData("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", "repeated key")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}", "unknown")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} + 1", "goes on")]
    public void Refuses_what_it_does_not_know(string text, string message)
    {
        var exception = Assert.Throws<FormatException>(() => NpyHeader.Parse(text));

        Assert.Contains(message, exception.Message);
    }
}
